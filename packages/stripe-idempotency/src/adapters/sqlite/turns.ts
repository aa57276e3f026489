import { AsyncLocalStorage } from 'node:async_hooks'
import type { DatabaseSync } from 'node:sqlite'
import { IdempotencyError } from '../../errors.ts'

/** A turn, and the one of another connection in which it was taken. */
interface Turn {
  readonly of: Turns
  readonly within: Turn | undefined
  over: boolean
}

/** Who uses a connection: one after the other, so that nobody is in the transaction of somebody else. */
export class Turns {
  static readonly #all = new WeakMap<DatabaseSync, Turns>()
  static readonly #now = new AsyncLocalStorage<Turn>()
  #last: Promise<unknown> = Promise.resolve()

  static of(database: DatabaseSync): Turns {
    const turns = Turns.#all.get(database) ?? new Turns()
    Turns.#all.set(database, turns)
    return turns
  }

  /** @throws IdempotencyError `invalid_option` where it would wait for its own caller's turn to end */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const within = this.#openTurn()
    const turn: Turn = { of: this, within, over: false }
    const mine = this.#last.then(() => Turns.#now.run(turn, work)).finally(() => (turn.over = true))
    this.#last = mine.catch(() => {})
    return mine
  }

  /** The innermost turn that its caller is in and that is not over. */
  #openTurn(): Turn | undefined {
    let turn = Turns.#now.getStore()
    while (turn?.over === true) turn = turn.within
    for (let each = turn; each !== undefined; each = each.within) {
      if (each.of === this && !each.over) throw waitsForItself()
    }
    return turn
  }
}

function waitsForItself(): IdempotencyError {
  return new IdempotencyError(
    'invalid_option',
    'work in a transaction of SQLite asked the same database again by another way, which would wait for that transaction to end: use within(…) or what the transaction gave, or ask when it is over',
  )
}
