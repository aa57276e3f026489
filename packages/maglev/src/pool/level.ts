import type { Word64 } from '../hash/word64.ts'
import type { Key } from '../key-hash.ts'
import type { Maglev } from '../maglev.ts'
import { normalizedShares } from '../mode/shares.ts'
import { type BoundedLoad, capacity, envoyBound, withinBound } from './bounded-load.ts'
import { type Member, type Standing, standingOf, takesPart } from './member.ts'
import type { PriorityLevel } from './panic.ts'

/** What is asked of a level. */
export interface Query {
  readonly key: Key
  readonly attempt: number
  readonly exclude: ReadonlySet<string> | undefined
  readonly standing: Standing
}

export interface Choice<T> {
  readonly member: Member<T>
  /** The key's first choice had no room. */
  readonly overflowed: boolean
}

const firstReplicas = 4

/** The backends of one priority and their table. */
export class Level<T> {
  readonly priority: number
  readonly table: Maglev<T>
  readonly #hashOf: (key: Key) => Word64
  readonly #boundedLoad: number | undefined
  #members: ReadonlyMap<string, Member<T>> = new Map()
  /** Those that keys may go to, by position. */
  #open: readonly Member<T>[] = []
  #load: { factor: number; total: number; active: Uint32Array; weights: Float64Array } | undefined
  #panic = false

  constructor(
    priority: number,
    table: Maglev<T>,
    boundedLoad: number | undefined,
    hashOf: (key: Key) => Word64,
  ) {
    this.priority = priority
    this.table = table
    this.#boundedLoad = boundedLoad
    this.#hashOf = hashOf
  }

  get members(): ReadonlyMap<string, Member<T>> {
    return this.#members
  }

  get panic(): boolean {
    return this.#panic
  }

  setMembers(members: readonly Member<T>[]): void {
    this.#members = new Map(members.map((member) => [member.id, member]))
  }

  counts(): Required<PriorityLevel> {
    let [total, healthy, degraded] = [0, 0, 0]
    for (const member of this.#members.values()) {
      if (!takesPart(member)) continue
      total++
      if (member.backend.health === 'healthy') healthy++
      else if (member.backend.health === 'degraded') degraded++
    }
    return { total, healthy, degraded }
  }

  /** Gives each member its standing, after the state or weight of any of them has changed. */
  arrange(panic: boolean): void {
    this.#panic = panic
    const open: Member<T>[] = []
    for (const member of this.#members.values()) {
      member.standing = standingOf(member, panic)
      member.position = member.standing === 'out' ? -1 : open.push(member) - 1
    }
    this.#open = open
    if (this.#boundedLoad !== undefined) this.#load = this.#weigh(this.#boundedLoad)
  }

  /** Counts a lease more (1) or less (-1) for a member. */
  count(member: Member<T>, change: 1 | -1): void {
    member.active += change
    const load = this.#load
    if (load === undefined || this.#open[member.position] !== member) return
    load.active[member.position] = member.active
    load.total += change
  }

  /** The backend for a key among those of one standing; undefined where there is none. */
  choose(query: Query): Choice<T> | undefined {
    const { key, attempt } = query
    const owner = this.table.lookup(key, attempt)
    const member = owner === undefined ? undefined : this.#members.get(owner)
    if (member !== undefined && this.#suits(member, query)) {
      const load = this.#load
      if (load === undefined) return { member, overflowed: false }
      if (this.table.mode === 'envoy') return this.#chooseAsEnvoy(member, load, query)
      if (member.active < capacity(load, member.position)) return { member, overflowed: false }
    }
    return this.#chooseOther(query, member)
  }

  #chooseAsEnvoy(primary: Member<T>, load: BoundedLoad, query: Query): Choice<T> {
    // Its walk begins with the key's own hash on every attempt: only the look-up of the primary sees the attempt.
    const position = envoyBound(load, primary.position, this.#hashOf(query.key))
    const member = this.#open[position]
    // Envoy knows no exclusion: a host that this query cannot have leaves the key where it was.
    if (member === undefined || !this.#suits(member, query)) return { member: primary, overflowed: false }
    return { member, overflowed: member !== primary }
  }

  /** The first of the key's owners that suits and has room, else the least loaded of them. */
  #chooseOther(query: Query, first: Member<T> | undefined): Choice<T> | undefined {
    const load = this.#load
    const member =
      load === undefined
        ? this.#owners(query).next().value
        : this.#open[withinBound(load, positions(this.#owners(query))) ?? -1]
    if (member === undefined) return undefined
    return {
      member,
      overflowed: load !== undefined && first !== undefined && this.#suits(first, query) && member !== first,
    }
  }

  /** The owners of a key that suit, from its `attempt`-th on, then the ones before it. */
  *#owners(query: Query): Generator<Member<T>, undefined, undefined> {
    const { key, attempt } = query
    const from = this.table.mode === 'envoy' ? 0 : attempt
    let seen = 0
    let ids: string[] = []
    for (let count = from + firstReplicas; ; count *= 4) {
      ids = this.table.replicas(key, count)
      for (const id of ids.slice(Math.max(from, seen))) yield* this.#suiting(id, query)
      seen = ids.length
      if (ids.length < count) break
    }
    for (const id of ids.slice(0, from)) yield* this.#suiting(id, query)
    yield* this.#unlisted(query, new Set(ids))
  }

  *#suiting(id: string, query: Query): Generator<Member<T>, undefined, undefined> {
    const member = this.#members.get(id)
    if (member !== undefined && this.#suits(member, query)) yield member
  }

  /** Those that own no slot, because the table that gives them some is still being built. */
  *#unlisted(query: Query, listed: ReadonlySet<string>): Generator<Member<T>, undefined, undefined> {
    const others = this.#open.filter((member) => !listed.has(member.id) && this.#suits(member, query))
    const begin = (this.#hashOf(query.key)[0] ?? 0) % Math.max(others.length, 1)
    yield* others.slice(begin)
    yield* others.slice(0, begin)
  }

  #suits(member: Member<T>, { standing, exclude }: Query): boolean {
    return member.standing === standing && exclude?.has(member.id) !== true
  }

  #weigh(factor: number): { factor: number; total: number; active: Uint32Array; weights: Float64Array } {
    const open = this.#open
    const ramps = new Float64Array(open.length)
    const active = new Uint32Array(open.length)
    const every = new Uint32Array(open.length)
    let total = 0
    for (let position = 0; position < open.length; position++) {
      const { ramp, active: held } = open[position] ?? { ramp: 1, active: 0 }
      ramps[position] = ramp
      active[position] = held
      every[position] = position
      total += held
    }
    const roster = { members: open.map(({ backend }) => backend), ramps, zones: this.table.identity.zones }
    const weights = normalizedShares(roster, every)
    const sum = weights.reduce((all, weight) => all + weight, 0)
    return { factor, total, active, weights: weights.map((weight) => weight / sum) }
  }
}

function* positions<T>(members: Iterable<Member<T>>): Generator<number, void, undefined> {
  for (const { position } of members) yield position
}
