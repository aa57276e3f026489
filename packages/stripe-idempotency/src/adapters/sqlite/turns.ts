import type { DatabaseSync } from 'node:sqlite'

/** Who uses a connection: one after the other, so that nobody is in the transaction of somebody else. */
export class Turns {
  static readonly #all = new WeakMap<DatabaseSync, Turns>()
  #last: Promise<unknown> = Promise.resolve()

  static of(database: DatabaseSync): Turns {
    const turns = Turns.#all.get(database) ?? new Turns()
    Turns.#all.set(database, turns)
    return turns
  }

  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#last.then(work)
    this.#last = mine.catch(() => {})
    return mine
  }
}
