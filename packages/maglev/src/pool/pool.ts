import type { ConfiguredBackend } from '../backend.ts'
import { type Change, checkChange, checkedId } from '../configuration.ts'
import { Emitter } from '../emitter.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantMaglev } from '../given.ts'
import type { Key } from '../key-hash.ts'
import type { Maglev } from '../maglev.ts'
import { Drains, interrupted } from './drains.ts'
import { Ejections } from './ejections.ts'
import { Flows } from './flows.ts'
import { type HealthFact, initialFacts, learn, stateOf } from './health.ts'
import { type AcquireOptions, checkAcquireOptions, type Lease, type LeaseSink, PoolLease } from './lease.ts'
import { Levels } from './levels.ts'
import { isSame, isUp, type Member, newMember } from './member.ts'
import type { Ejection } from './outlier.ts'
import { type PoolEvents, poolChannels, rebuildOf } from './pool-events.ts'
import { checkPoolOptions, type PoolOptions, type PoolSettings } from './pool-options.ts'
import { ActiveChecks, type ProbeOutcome } from './probe.ts'
import { Ramps } from './ramps.ts'
import { type BackendStatus, type PoolStats, statusOf } from './status.ts'

/**
 * Makes a pool of the backends of `maglev`: finds out which are up, and hands them out by key. The pool tells the table about
 * health and slow start, so that `maglev.lookup`, and workers that share the table, follow it; health set by hand is put back.
 *
 * ```ts
 * await using pool = createPool(new Maglev(['10.0.0.1:80', '10.0.0.2:80']), { active: { path: '/healthz' }, outlier: true })
 * using lease = pool.acquire('user:42')
 * lease.backend.id // '10.0.0.2:80'
 * lease.report(200)
 * ```
 *
 * Without checks and detection a backend is what `enable`, `disable` and `drain` make it. Backends take keys as they are
 * configured until their first check; those added later to a pool with active checks take none until they pass one.
 *
 * @throws MaglevError `INVALID_OPTION`, also for a Maglev that has a pool already
 */
export function createPool<T>(maglev: Maglev<T>, options: PoolOptions<T> = {}): Pool<T> {
  return new Pool(maglev, options)
}

/** Two pools would take turns in putting back what the other one says. */
const pooled = new WeakSet<Maglev>()

/** See `createPool`. All decisions are on monotonic time. */
export class Pool<T = unknown> implements AsyncDisposable {
  readonly maglev: Maglev<T>
  readonly #settings: PoolSettings<T>
  readonly #emitter: Emitter<PoolEvents> = new Emitter(poolChannels)
  readonly #members = new Map<string, Member<T>>()
  readonly #levels: Levels<T>
  readonly #checks: ActiveChecks<T> | undefined
  readonly #ejections: Ejections | undefined
  readonly #ramps: Ramps | undefined
  readonly #flows: Flows | undefined
  readonly #drains: Drains
  readonly #counts = { acquired: 0, refused: 0, overflowed: 0, ejections: 0, probes: 0, probeFailures: 0 }
  readonly #sink: LeaseSink<T> = {
    released: (member) => this.#released(member),
    reported: ({ id }, result) => this.#ejections?.report(id, result),
  }
  #active = 0
  #configured: ReadonlyMap<string, ConfiguredBackend<T>> = new Map()
  #firstChecks: PromiseWithResolvers<void> | undefined
  #closed: Promise<void> | undefined

  constructor(maglev: Maglev<T>, options: PoolOptions<T>) {
    wantMaglev('The table of a pool', maglev)
    const settings = checkPoolOptions(options, maglev.mode)
    const { clock, random, checks, outlier, slowStart, tracking } = settings
    if (pooled.has(maglev)) throw new MaglevError('INVALID_OPTION', 'maglev: it has a pool already')
    this.maglev = maglev
    this.#settings = settings
    this.#levels = new Levels(maglev, settings, {
      members: this.#members,
      reconcile: () => this.#reconcile(),
      panicked: (priority, panic) => this.#emitter.emit('panic', () => ({ pool: this, priority, panic })),
      rebuilt: (event, priority) => this.#emitter.emit('rebuild', () => rebuildOf(this, priority, event)),
    })
    this.#checks = checks && new ActiveChecks(checks, { clock, random }, (outcome) => this.#probed(outcome))
    this.#ejections =
      outlier &&
      new Ejections(
        outlier,
        { clock, random },
        {
          ejected: (ejection) => this.#eject(ejection),
          returned: (id) => this.#learnOf(id, { type: 'returned' }),
        },
      )
    this.#ramps = slowStart && new Ramps(slowStart, clock, (factors) => this.#ramp(factors))
    this.#flows = tracking && new Flows(tracking, { clock, random }, (id) => this.#keepsFlows(id))
    this.#drains = new Drains(
      clock,
      (id) => this.#holds(id),
      (id) => this.#emitter.emit('drained', () => ({ pool: this, id })),
    )
    this.#begin()
    pooled.add(maglev)
  }

  /**
   * A backend for `key`: that of its flow where it is tracked, else its owner in the table, else, where the owner is excluded,
   * full (`boundedLoad`) or just gone, the next owner.
   *
   * @throws MaglevError `NO_BACKEND`, `INVALID_KEY`, `INVALID_OPTION`, `POOL_CLOSED`; the reason of `signal` when it is aborted already.
   */
  acquire(key: Key, options: AcquireOptions = {}): Lease<T> {
    checkAcquireOptions(options)
    const { signal, exclude } = options
    this.#wantOpen()
    this.#levels.arrange()
    const flow = options.flow ?? key
    const member = this.#tracked(flow, exclude) ?? this.#choose(key, flow, options)
    this.#levels.count(member, 1)
    this.#active++
    this.#counts.acquired++
    return new PoolLease(member, this.#sink, signal)
  }

  /**
   * Adds, removes and re-weighs backends, all of it or, on an error, nothing. The table follows as for changes of state, at most
   * every 50 ms; keys go by it at once as far as backends are gone.
   *
   * @throws MaglevError as `Maglev.update`; `INVALID_OPTION` for `health` and `ramp`, which are the pool's own.
   */
  update(change: Change<T>): void {
    checkChange(change)
    this.#wantOpen()
    if (change.health !== undefined || change.ramp !== undefined) {
      throw new MaglevError(
        'INVALID_OPTION',
        'A pool finds out health and ramp itself: use enable, disable and drain',
      )
    }
    this.maglev.update(change, 'held')
    this.#levels.changed()
    this.#levels.arrange()
  }

  setWeight(id: string, weight: number): void {
    this.update({ weight: { [checkedId(id)]: weight } })
  }

  /**
   * Gives no new keys to a backend; its leases and tracked flows go on. Resolves when there are none left, as the event `drained`
   * says too; the backend then waits for `enable` or removal.
   *
   * @throws MaglevError `UNKNOWN_BACKEND`; rejects with `DRAIN_INTERRUPTED` when the backend is removed, enabled or disabled
   * meanwhile, `POOL_CLOSED` when the pool is closed, and with the reason of `signal`, which ends the wait, not the draining.
   */
  async drain(id: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkAcquireOptions(options)
    const { signal } = options
    this.#decide(id, 'drain')
    await this.#drains.wait(id, signal)
  }

  /** Gives no new keys to a backend, not even those of tracked flows. */
  disable(id: string): void {
    this.#decide(id, 'disable')
    this.#drains.cancel(id, interrupted(id))
  }

  /** Ends what `drain` or `disable` began. */
  enable(id: string): void {
    this.#decide(id, 'enable')
    this.#drains.cancel(id, interrupted(id))
  }

  /** Resolves when every backend has had its first active check and the tables say so. */
  async ready(): Promise<void> {
    await this.#firstChecks?.promise
    await this.settled()
  }

  /** Resolves when the tables in force show every state that is known now; they are then not gathered any longer. */
  settled(): Promise<void> {
    return this.#levels.settled()
  }

  /** What is known of each backend, as listed. A copy. */
  states(): Map<string, BackendStatus<T>> {
    const checked = this.#checks !== undefined
    return new Map(
      [...this.#members.values()].map((member) => [
        member.id,
        statusOf(member, checked, this.#flows?.count(member.id) ?? 0),
      ]),
    )
  }

  stats(): PoolStats {
    return {
      active: this.#active,
      ...this.#counts,
      rebuilds: this.#levels.rebuilds,
      flows: this.#flows?.stats(),
      levels: this.#levels.stats(),
    }
  }

  /** Calls `listener` on each event until the function that it returns is called. */
  on<Name extends keyof PoolEvents>(name: Name, listener: (event: PoolEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener)
  }

  /** Ends checks and timers. Leases that are out stay good; the table stays as it is. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    pooled.delete(this.maglev)
    this.#levels.close()
    this.#ejections?.close()
    this.#ramps?.close()
    this.#drains.close(closed())
    this.#firstChecks?.reject(closed())
    await this.#checks?.[Symbol.asyncDispose]()
  }

  #wantOpen(): void {
    if (this.#closed !== undefined) throw closed()
  }

  /** Takes over the backends that the table was given, whose configured health holds until the first check. */
  #begin(): void {
    this.#configured = this.maglev.configured
    for (const backend of this.#configured.values()) {
      this.#members.set(backend.id, newMember(backend, initialFacts(backend.health, undefined)))
    }
    this.#levels.begin()
    for (const id of this.#members.keys()) this.#ejections?.add(id)
    if (this.#checks !== undefined && this.#members.size > 0) {
      this.#firstChecks = Promise.withResolvers()
      this.#firstChecks.promise.catch(() => undefined)
    }
    for (const { backend } of this.#members.values()) this.#checks?.watch(backend)
  }

  /** Follows what the table was told to hold, by `update` or by hand; whether that was anything new. */
  #reconcile(): boolean {
    const configured = this.maglev.configured
    if (configured === this.#configured) return false
    const before = this.#configured
    this.#configured = configured
    let anything = false
    for (const id of before.keys()) {
      if (configured.has(id) || !this.#members.has(id)) continue
      this.#remove(id)
      anything = true
    }
    for (const [id, now] of configured) {
      // What was not changed is the same object.
      if (before.get(id) === now) continue
      anything = this.#takeOver(now) || anything
    }
    return anything
  }

  /** Whether a backend as the table has it now is another one than the pool knew, health and ramp apart. */
  #takeOver(now: ConfiguredBackend<T>): boolean {
    const member = this.#members.get(now.id)
    if (member === undefined || !isSame(now, member.backend)) {
      if (member !== undefined) this.#remove(now.id)
      this.#add(now)
    } else if (member.backend.weight !== now.weight) {
      member.backend = Object.freeze({ ...member.backend, weight: now.weight })
    } else return false
    return true
  }

  #add(backend: ConfiguredBackend<T>): void {
    const member = newMember(backend, initialFacts(backend.health, this.#checks && 'unhealthy'))
    this.#members.set(backend.id, member)
    if (this.#ramps !== undefined && isUp(member.backend.health)) member.ramp = this.#ramps.start(backend.id)
    this.#ejections?.add(backend.id)
    this.#checks?.watch(member.backend)
  }

  #remove(id: string): void {
    this.#members.delete(id)
    this.#checks?.unwatch(id)
    this.#ejections?.remove(id)
    this.#ramps?.stop(id)
    this.#drains.cancel(id, interrupted(id))
    this.#noteFirstChecks()
  }

  #tracked(flow: Key, exclude: ReadonlySet<string> | undefined): Member<T> | undefined {
    const id = this.#flows?.find(flow, exclude)
    return id === undefined ? undefined : this.#members.get(id)
  }

  #choose(key: Key, flow: Key, { exclude, attempt = 0 }: AcquireOptions): Member<T> {
    const choice = this.#levels.choose(key, attempt, exclude)
    if (choice === undefined) {
      this.#counts.refused++
      throw new MaglevError(
        'NO_BACKEND',
        `No backend can take the key: ${this.#members.size} are configured, ${exclude?.size ?? 0} excluded, none of the others is up`,
      )
    }
    if (choice.overflowed) this.#counts.overflowed++
    this.#flows?.track(flow, choice.member.id)
    return choice.member
  }

  #keepsFlows(id: string): boolean {
    const member = this.#members.get(id)
    return member !== undefined && (member.standing !== 'out' || member.backend.health === 'draining')
  }

  #released(member: Member<T>): void {
    this.#levels.count(member, -1)
    this.#active--
    this.#drains.look(member.id)
  }

  #holds(id: string): 'leases' | 'flows' | 'nothing' {
    if ((this.#members.get(id)?.active ?? 0) > 0) return 'leases'
    return (this.#flows?.count(id) ?? 0) > 0 ? 'flows' : 'nothing'
  }

  #decide(id: string, type: 'enable' | 'disable' | 'drain'): void {
    this.#wantOpen()
    if (!this.#members.has(id)) throw new MaglevError('UNKNOWN_BACKEND', `There is no backend ${shown(id)}`)
    this.#learnOf(id, { type })
  }

  #probed({ id, result, ms, error }: ProbeOutcome): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    this.#counts.probes++
    if (result === 'unhealthy') {
      this.#counts.probeFailures++
      member.lastError = error
    }
    this.#emitter.emit('probe', () => ({
      pool: this,
      id,
      result,
      ms,
      ...(error === undefined ? {} : { error }),
    }))
    this.#learnOf(id, { type: 'checked', result })
    if (result !== 'unhealthy') this.#ejections?.passedActiveCheck(id)
    this.#noteFirstChecks()
  }

  #noteFirstChecks(): void {
    if (this.#firstChecks === undefined) return
    for (const { facts } of this.#members.values()) if (facts.contradictions === undefined) return
    this.#firstChecks.resolve()
    this.#firstChecks = undefined
  }

  #eject({ id, reason, at, until, times }: Ejection): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    member.ejections = times
    this.#counts.ejections++
    this.#learnOf(id, { type: 'ejected' })
    this.#emitter.emit('ejected', () => ({ pool: this, id, reason, ms: until - at, times }))
  }

  /** Takes in a fact about a backend; where its state changes, so do the levels and their tables. */
  #learnOf(id: string, fact: HealthFact): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    const from = stateOf(member.facts)
    member.facts = learn(
      member.facts,
      fact,
      this.#settings.checks?.thresholds ?? { healthy: 1, unhealthy: 1 },
    )
    const to = stateOf(member.facts)
    if (from === to) return
    member.backend = Object.freeze({ ...member.backend, health: to })
    if (!isUp(from) && isUp(to)) member.ramp = this.#ramps?.start(id) ?? 1
    else if (!isUp(to)) this.#ramps?.stop(id)
    this.#levels.refresh()
    this.#emitter.emit('state', () => ({ pool: this, id, from, to, reason: fact.type }))
  }

  #ramp(factors: ReadonlyMap<string, number>): void {
    for (const [id, factor] of factors) {
      const member = this.#members.get(id)
      if (member !== undefined) member.ramp = factor
    }
    this.#levels.refresh()
  }
}

function closed(): MaglevError {
  return new MaglevError('POOL_CLOSED', 'The pool is closed')
}
