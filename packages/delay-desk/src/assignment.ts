import { Maglev } from '@loadbearing/maglev'
import { DeskError } from './errors.ts'

/** What the loss of a worker did to the ownership of claims. */
export interface Move {
  readonly worker: string
  /** Claims that the worker owned. */
  readonly owned: number
  /** Of these, claims that have another owner now. */
  readonly moved: number
  /** Claims of other workers that have another owner now. */
  readonly collateral: number
  /** Slots of the table that changed, of those the loss had to change, and the difference. */
  readonly slots: { readonly changed: number; readonly ideal: number; readonly collateral: number }
}

/** Which worker owns which claim: Maglev's table over the workers, looked up by `claim:<number>`. */
export class Assignment {
  /** Worker ids, `worker-1` on. */
  readonly workers: readonly string[]
  readonly #table: Maglev
  readonly #places: ReadonlyMap<string, number>
  #owners: Uint16Array
  #rebuilds = 0

  constructor(workers: number, claims: number) {
    this.workers = Array.from({ length: workers }, (_, place) => `worker-${place + 1}`)
    this.#places = new Map(this.workers.map((id, place) => [id, place]))
    this.#table = new Maglev(this.workers)
    this.#table.on('rebuild', () => {
      this.#rebuilds++
    })
    this.#owners = this.#lookUp(claims)
  }

  get tableSize(): number {
    return this.#table.tableSize
  }

  /** How often the table was built again. */
  get rebuilds(): number {
    return this.#rebuilds
  }

  /** The place of the worker in `workers` that owns the claim. */
  ownerOf(claim: number): number {
    return this.#owners[claim] ?? 0
  }

  /** All claims by owner, each owner's in order. */
  byOwner(): Uint32Array[] {
    const counts = new Uint32Array(this.workers.length)
    for (const owner of this.#owners) counts[owner] = (counts[owner] ?? 0) + 1
    const claims = this.workers.map((_, place) => new Uint32Array(counts[place] ?? 0))
    counts.fill(0)
    for (const [claim, owner] of this.#owners.entries()) {
      const at = counts[owner] ?? 0
      const own = claims[owner]
      if (own !== undefined) own[at] = claim
      counts[owner] = at + 1
    }
    return claims
  }

  /** Takes a worker out and looks every claim up again. */
  lose(worker: string): Move {
    const plan = this.#table.plan({ health: { [worker]: 'unhealthy' } })
    this.#table.setHealth(worker, 'unhealthy')
    const lost = this.#places.get(worker)
    const before = this.#owners
    this.#owners = this.#lookUp(before.length)
    let owned = 0
    let moved = 0
    let collateral = 0
    for (let claim = 0; claim < before.length; claim++) {
      const changed = before[claim] !== this.#owners[claim]
      if (before[claim] === lost) {
        owned++
        if (changed) moved++
      } else if (changed) collateral++
    }
    return { worker, owned, moved, collateral, slots: plan }
  }

  #lookUp(claims: number): Uint16Array {
    const owners = new Uint16Array(claims)
    for (let claim = 0; claim < claims; claim++) {
      const id = this.#table.lookup(`claim:${claim}`)
      if (id === undefined)
        throw new DeskError('NO_WORKER_LEFT', 'every worker is lost, nobody is left to own the claims')
      owners[claim] = this.#places.get(id) ?? 0
    }
    return owners
  }
}
