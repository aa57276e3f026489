import type { Backend, ConfiguredBackend, Health } from './backend.ts'
import { type Change, type Configuration, checkedId, configure, reconfigure } from './configuration.ts'
import { Emitter } from './emitter.ts'
import { MaglevError, shown } from './errors.ts'
import { type MaglevEvents, maglevChannels } from './events.ts'
import { type Explanation, explain } from './explain.ts'
import { fingerprint } from './fingerprint.ts'
import { toBigint } from './hash/word64.ts'
import { fingerprintSecret, type Key, KeyHash, wantKeys } from './key-hash.ts'
import { uint64Seed } from './mode/checks.ts'
import type { ModeName, Sliced, Tables } from './mode/mode.ts'
import type { KeyHashName, MaglevOptions, Rebuild } from './options.ts'
import { type Movement, movement, type NamedTable } from './plan.ts'
import { finish, Rebuilder } from './rebuilder.ts'
import { replicaMembers } from './replicas.ts'
import { retrySlot } from './retry.ts'
import { checkOptions, checkRebuild, type Settings } from './settings.ts'
import { type SharedHandle, SharedTable } from './shared.ts'
import type { Owners } from './table/owners.ts'

/** What a change would move, and the means to make it. */
export interface Plan extends Movement {
  /**
   * Makes the change; the table is exactly the one that was planned.
   *
   * @throws MaglevError `STALE_PLAN` when something was changed since the plan was made, or when it was applied before.
   */
  apply(): void
}

/** What decides a table, apart from its backends. */
export interface TableIdentity {
  readonly mode: ModeName
  readonly tableSize: number
  readonly hash: KeyHashName
  readonly seed: string | undefined
  /** 16 hex digits that tell the secret from others and reveal nothing else about it. */
  readonly secretFingerprint: string | undefined
  readonly zones: ReadonlyMap<string, number> | undefined
  readonly allowStarved: boolean
}

/** A table in force and what it was built from. */
interface Serving<T> extends NamedTable {
  readonly configuration: Configuration<T>
}

/**
 * A Maglev table: assigns every key to one of a set of backends, evenly, in constant time, and moves few keys when the set
 * changes. Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI'16, section 3.4.
 *
 * ```ts
 * const lb = new Maglev(['10.0.0.1:80', '10.0.0.2:80', { id: '10.0.0.3:80', weight: 2 }])
 * lb.lookup('user:42') // '10.0.0.2:80'
 * lb.setHealth('10.0.0.2:80', 'unhealthy') // moves the keys of that backend and no others
 * ```
 *
 * A lookup sees one finished table, the old or the new one, never a mixture. Everything but `settled` is synchronous.
 */
export class Maglev<T = unknown> {
  readonly #options: MaglevOptions
  readonly #settings: Settings
  readonly #emitter: Emitter<MaglevEvents> = new Emitter(maglevChannels)
  readonly #keyHash: KeyHash
  readonly #rebuilder: Rebuilder
  readonly #shared: SharedTable | undefined
  /** What the caller asked for last; the table that serves may still be on its way there. */
  #configured: Configuration<T>
  #serving: Serving<T>

  /**
   * @throws MaglevError for a wrong option (`INVALID_OPTION`, `TABLE_SIZE_…`) or backend (`INVALID_BACKEND`,
   * `DUPLICATE_BACKEND`, `INVALID_WEIGHT`, `TABLE_TOO_SMALL`).
   */
  constructor(backends: Iterable<string | Backend<T>>, options: MaglevOptions = {}) {
    this.#settings = checkOptions(options)
    this.#options = { ...options }
    const { hash, secret, scheduler, size, shared } = this.#settings
    this.#keyHash = new KeyHash(hash, this.#keySeed(), secret)
    this.#rebuilder = new Rebuilder(scheduler, (error) =>
      this.#emitter.emit('error', () => ({ maglev: this, error })),
    )
    this.#configured = configure(backends, this.#settings)
    this.#serving = serve(this.#configured, finish(this.#build(this.#configured, undefined)))
    this.#shared = shared ? new SharedTable(size) : undefined
    this.#shared?.check(this.#serving.ids)
    this.#publish(this.#serving)
  }

  get mode(): ModeName {
    return this.#settings.modeName
  }

  get tableSize(): number {
    return this.#settings.size
  }

  /** The hash of string and byte keys. */
  get hash(): KeyHashName {
    return this.#settings.hash
  }

  /** All that decides the table, apart from the backends; of the secret no more than tells it from others. */
  get identity(): TableIdentity {
    const { modeName, size, hash, seed, secret, zones, allowStarved } = this.#settings
    return {
      mode: modeName,
      tableSize: size,
      hash,
      seed: seed?.toString(),
      secretFingerprint: secret && fingerprintSecret(secret),
      zones,
      allowStarved,
    }
  }

  /** The backends of the table in force, as listed, added ones at the end. */
  get backends(): readonly ConfiguredBackend<T>[] {
    return [...this.#serving.configuration.backends.values()]
  }

  /** The backends as given and changed last, by id, though their table may still be being built. */
  get configured(): ReadonlyMap<string, ConfiguredBackend<T>> {
    return this.#configured.backends
  }

  /**
   * 16 hex digits that are the same wherever the same slots belong to the same ids, whatever the order in which backends were
   * given: for comparing the tables of two machines.
   */
  get fingerprint(): string {
    return fingerprint(this.#serving)
  }

  /**
   * The backend that `key` belongs to, or undefined where none is available. Allocates nothing (a bigint key apart).
   *
   * `attempt` is for retries, 0 the first try. In mode `envoy` attempts follow its rule, and may name a backend again; in the
   * other modes attempt n is the n-th of `replicas`, undefined once there are no more.
   *
   * @throws MaglevError `INVALID_KEY`
   */
  lookup(key: Key, attempt: number = 0): string | undefined {
    const { ids, tables } = this.#serving
    const slot = this.#keyHash.slot(key, tables.current.length)
    if (attempt !== 0) return this.#retry(slot, attempt)
    return ids[tables.current[slot] ?? ids.length]
  }

  /**
   * As `lookup`, but gives the backend with its `data`.
   *
   * @throws MaglevError `NO_BACKEND` where none is available.
   */
  pick(key: Key, attempt: number = 0): ConfiguredBackend<T> {
    const id = this.lookup(key, attempt)
    const backend = id === undefined ? undefined : this.#serving.configuration.backends.get(id)
    if (backend === undefined) {
      throw new MaglevError(
        'NO_BACKEND',
        'No backend is available: add one or set the health of one to healthy',
      )
    }
    return backend
  }

  /** `lookup` for many keys, all answered from one table. */
  lookupMany(keys: readonly Key[] | Uint32Array | Float64Array): (string | undefined)[] {
    wantKeys(keys)
    const { ids, tables } = this.#serving
    const owners = tables.current
    const found: (string | undefined)[] = []
    for (const key of keys) found.push(ids[owners[this.#keyHash.slot(key, owners.length)] ?? ids.length])
    return found
  }

  /**
   * The first `count` distinct available backends for `key`, its owner first; fewer where there are fewer. A backend that fails
   * leaves the others of the list in their order (in the modes that keep a base: `stable` and `go-maglev`).
   */
  replicas(key: Key, count: number): string[] {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new MaglevError('INVALID_OPTION', `count must be a whole number, 0 or more, not ${shown(count)}`)
    }
    const slot = this.#keyHash.slot(key, this.tableSize)
    return this.#replicas(slot, count)
  }

  /** Why `key` goes where it goes. */
  explain(key: Key): Explanation {
    const slot = this.#keyHash.slot(key, this.tableSize)
    const { ids, tables, configuration } = this.#serving
    return explain({
      slot,
      word: this.#keyHash.word,
      ids,
      tables,
      takers: configuration,
    })
  }

  /** The 64-bit hash of `key`, whose remainder by `tableSize` is the slot. */
  hashOf(key: Key): bigint {
    this.#keyHash.slot(key, this.tableSize)
    return toBigint(this.#keyHash.word)
  }

  /** Another table of other backends under the same options, the option `shared` apart. */
  sibling(backends: Iterable<string | Backend<T>>): Maglev<T> {
    return new Maglev(backends, { ...this.#options, shared: false })
  }

  /** The owner of each slot as an index into `backends`, -1 where there is none. A copy. */
  owners(): Int32Array {
    const { configuration, ids, tables } = this.#serving
    const listed = new Map([...configuration.backends.keys()].map((id, index) => [id, index]))
    const indexes = ids.map((id) => listed.get(id) ?? -1)
    return Int32Array.from(tables.current, (owner) => indexes[owner] ?? -1)
  }

  /** Adds one backend; see `update`. */
  add(backend: string | Backend<T>): void {
    this.update({ add: [backend] })
  }

  /** Takes a backend out for good. To move only its own keys, set its health instead. */
  remove(id: string): void {
    this.update({ remove: [id] })
  }

  setWeight(id: string, weight: number): void {
    this.update({ weight: { [checkedId(id)]: weight } })
  }

  setHealth(id: string, health: Health): void {
    this.update({ health: { [checkedId(id)]: health } })
  }

  /**
   * Makes a change, all of it or, on an error, nothing. Whether the table is in force on return depends on `rebuild`, whose
   * default is the option of that name; a change that is `held` is only noted, and its table is made with that of the next one that
   * is not.
   *
   * @throws MaglevError as the constructor, and `UNKNOWN_BACKEND`.
   */
  update(change: Change<T>, rebuild: Rebuild | 'held' = this.#settings.rebuild): void {
    if (rebuild !== 'held') checkRebuild(rebuild)
    const next = this.#reconfigure(change)
    if (rebuild === 'sync') {
      const tables = finish(this.#build(next, this.#lastBase(next)))
      this.#swap(serve(next, tables))
      return
    }
    const last = this.#configured
    this.#configured = next
    this.#reportHealth(last, next)
    if (rebuild !== 'held') this.#rebuilder.start(this.#replace(next))
  }

  /** What `change` would move, without making it. Builds the table that would be. */
  plan(change: Change<T>): Plan {
    const from = this.#configured
    const next = this.#reconfigure(change)
    const planned = serve(next, finish(this.#build(next, this.#lastBase(next))))
    return {
      ...movement(this.#serving, planned),
      apply: () => {
        if (this.#configured !== from) {
          throw new MaglevError(
            'STALE_PLAN',
            'The backends were changed after this plan was made: make another one',
          )
        }
        this.#swap(planned)
      },
    }
  }

  /** Resolves when the table of the last change is in force; rejects with what its build threw. */
  settled(): Promise<void> {
    return this.#rebuilder.settled()
  }

  /**
   * What a worker thread needs to read this table while it changes: pass it through `workerData` or `postMessage`, and give it
   * to `attach` there. It does not hold the secret.
   *
   * @throws MaglevError `INVALID_OPTION` without the option `shared`.
   */
  share(): SharedHandle {
    if (this.#shared === undefined) {
      throw new MaglevError('INVALID_OPTION', 'share() needs the option shared: true')
    }
    const { hash, secret } = this.#settings
    return this.#shared.handle({ hash, keySeed: this.#keySeed(), secret })
  }

  /** Calls `listener` on each event until the function that it returns is called. */
  on<Name extends keyof MaglevEvents>(name: Name, listener: (event: MaglevEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener)
  }

  #retry(slot: number, attempt: number): string | undefined {
    if (!Number.isSafeInteger(attempt) || attempt < 0) {
      throw new MaglevError(
        'INVALID_OPTION',
        `attempt must be a whole number, 0 or more, not ${shown(attempt)}`,
      )
    }
    if (this.#settings.modeName !== 'envoy') return this.#replicas(slot, attempt + 1)[attempt]
    const { ids, tables } = this.#serving
    return ids[tables.current[retrySlot(this.#keyHash.word, attempt, this.tableSize)] ?? ids.length]
  }

  #replicas(slot: number, count: number): string[] {
    const { configuration, ids, tables } = this.#serving
    const members = replicaMembers(tables, configuration, slot, this.#keyHash.word, count)
    return members.map((member) => ids[member] ?? '')
  }

  /** Key hashes are seeded like the table, except where the seed is another system's. */
  #keySeed(): bigint {
    const { modeName, seed } = this.#settings
    return modeName === 'stable' || modeName === 'classic' ? uint64Seed(seed) : 0n
  }

  #build(configuration: Configuration<T>, lastBase: Owners | undefined): Sliced<Tables> {
    const { members, available, ramps } = configuration
    return this.#settings.mode.build({ members, available, ramps, zones: this.#settings.zones }, lastBase)
  }

  /** Builds a table in slices, of which no lookup sees any before the last. */
  *#replace(next: Configuration<T>): Sliced<void> {
    const serving = serve(next, yield* this.#build(next, this.#lastBase(next)))
    if (this.#shared) {
      yield* this.#shared.write(serving)
      this.#shared.publish()
    }
    this.#install(serving)
  }

  #publish(serving: Serving<T>): void {
    if (this.#shared === undefined) return
    finish(this.#shared.write(serving))
    this.#shared.publish()
  }

  #reconfigure(change: Change<T>): Configuration<T> {
    const next = reconfigure(this.#configured, change, this.#settings)
    this.#shared?.check(next.members.map(({ id }) => id))
    return next
  }

  #lastBase(next: Configuration<T>): Owners | undefined {
    const { configuration, tables } = this.#serving
    return configuration.members === next.members ? tables.base : undefined
  }

  #swap(serving: Serving<T>): void {
    const last = this.#configured
    // Before anything is given up: it may lack memory.
    this.#publish(serving)
    this.#rebuilder.cancel()
    this.#configured = serving.configuration
    this.#install(serving)
    this.#reportHealth(last, serving.configuration)
  }

  #install(serving: Serving<T>): void {
    const last = this.#serving
    const { configuration } = serving
    this.#serving = serving
    this.#emitter.emit('rebuild', () => ({
      maglev: this,
      // Counted for those who ask: comparing two tables takes longer than a slice of a build may.
      get changed(): number {
        return movement(last, serving).changed
      },
      tableSize: this.tableSize,
      backends: configuration.members.length,
      available: configuration.available.reduce((sum, flag) => sum + flag, 0),
    }))
  }

  #reportHealth(last: Configuration<T>, next: Configuration<T>): void {
    if (!this.#emitter.hears('health')) return
    for (const { id, health } of next.backends.values()) {
      const from = last.backends.get(id)?.health
      if (from === undefined || from === health) continue
      this.#emitter.emit('health', () => ({ maglev: this, id, from, to: health }))
    }
  }
}

function serve<T>(configuration: Configuration<T>, tables: Tables): Serving<T> {
  return { configuration, tables, ids: configuration.members.map(({ id }) => id) }
}
