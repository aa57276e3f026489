import type { Change, TupleStore } from '../../src/store/tuple-store.ts'
import { type Said, unitSize } from './unit.ts'

/** What a store must hold, told from its changes and from what writers were answered. */
export class Ledger {
  readonly #store: TupleStore
  readonly #storeId: string
  /** By unit: the revision that wrote it. */
  readonly #written = new Map<string, number>()
  readonly #held = new Set<string>()
  #position = 0
  #revision = 0

  constructor(store: TupleStore, storeId: string) {
    this.#store = store
    this.#storeId = storeId
  }

  get revision(): number {
    return this.#revision
  }

  /** The first unit of a name that no write has touched. */
  nextOf(name: string, said: readonly Said[]): number {
    let next = 0
    for (const unit of this.#written.keys()) {
      if (unit.startsWith(`doc:${name}-`)) next = Math.max(next, Number(unit.slice(name.length + 5)) + 1)
    }
    for (const each of said) if (each.name === name) next = Math.max(next, each.index + 1)
    return next
  }

  /** Reads on, and gives what is not as it should be. */
  async violations(said: readonly Said[]): Promise<readonly string[]> {
    const found: string[] = []
    const byRevision = new Map<number, Change[]>()
    for (;;) {
      const changes = await this.#store.changes(this.#storeId, { after: this.#position, limit: 1000 })
      for (const change of changes) {
        if (change.position <= this.#position) found.push(`position ${change.position} again`)
        this.#position = change.position
        const commit = byRevision.get(change.revision)
        if (commit === undefined) byRevision.set(change.revision, [change])
        else commit.push(change)
      }
      if (changes.length < 1000) break
    }
    for (const [revision, changes] of byRevision) {
      if (revision !== this.#revision + 1) found.push(`revision ${revision} after ${this.#revision}`)
      this.#revision = revision
      found.push(...this.#apply(revision, changes))
    }
    const revision = await this.#store.revision(this.#storeId)
    if (revision !== this.#revision)
      found.push(`the store is at ${revision}, its changes at ${this.#revision}`)
    for (const { name, index, revision: answered } of said) {
      const written = this.#written.get(`doc:${name}-${index}`)
      if (answered !== undefined && written !== answered) {
        found.push(`${name}-${index} was answered with revision ${answered}, and was written by ${written}`)
      }
    }
    const held = await this.#heldByStore()
    for (const key of held) if (!this.#held.has(key)) found.push(`${key} is there, and no change says so`)
    for (const key of this.#held) if (!held.has(key)) found.push(`${key} is not there, and no change says so`)
    return found
  }

  #apply(revision: number, changes: readonly Change[]): readonly string[] {
    const found: string[] = []
    const counts = new Map<string, number>()
    for (const { operation, tuple } of changes) {
      const key = `${tuple.user} ${tuple.object}`
      if (operation === 'write' ? this.#held.has(key) : !this.#held.delete(key)) {
        found.push(`revision ${revision}: ${operation} of ${key}`)
      }
      if (operation === 'write') this.#held.add(key)
      const unit = `${operation} ${tuple.object}`
      counts.set(unit, (counts.get(unit) ?? 0) + 1)
    }
    for (const [unit, count] of counts) {
      if (count !== unitSize) found.push(`revision ${revision} is torn: ${count} times ${unit}`)
      if (!unit.startsWith('write ')) continue
      const object = unit.slice(6)
      if (this.#written.has(object)) found.push(`${object} was written twice`)
      this.#written.set(object, revision)
    }
    return found
  }

  async #heldByStore(): Promise<ReadonlySet<string>> {
    const held = new Set<string>()
    let after: string | undefined
    do {
      const page = await this.#store.read(this.#storeId, {}, { limit: 1000, after })
      for (const { tuple } of page.items) held.add(`${tuple.user} ${tuple.object}`)
      after = page.next
    } while (after !== undefined)
    return held
  }
}
