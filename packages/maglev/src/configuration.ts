import {
  type Backend,
  type ConfiguredBackend,
  checkHealth,
  checkRamp,
  checkWeight,
  configureBackend,
  type Health,
  takesKeys,
  totalWeightMax,
} from './backend.ts'
import { MaglevError, shown } from './errors.ts'
import { compareUtf8 } from './hash/utf8.ts'
import { goMaglevBackendsMax } from './mode/go-maglev.ts'
import type { Member } from './mode/mode.ts'
import type { Settings } from './settings.ts'

/** What to change, all at once: either all of it comes into force or, where something is wrong with it, nothing. */
export interface Change<T = unknown> {
  /** Ids to take out for good. */
  readonly remove?: readonly string[]
  /** Backends to add, at the end of the list; an id that `remove` names may come again. */
  readonly add?: readonly (string | Backend<T>)[]
  /** New weights by id. */
  readonly weight?: Readonly<Record<string, number>>
  /** New parts of their slots by id; see `Backend.ramp`. */
  readonly ramp?: Readonly<Record<string, number>>
  /** New health by id. */
  readonly health?: Readonly<Record<string, Health>>
}

const changeForms: Readonly<Record<string, 'a list' | 'an object by id'>> = {
  remove: 'a list',
  add: 'a list',
  weight: 'an object by id',
  ramp: 'an object by id',
  health: 'an object by id',
}

/** Everything that decides a table, fixed; a change makes another one. */
export interface Configuration<T = unknown> {
  /** As listed by the caller. */
  readonly backends: ReadonlyMap<string, ConfiguredBackend<T>>
  /** In order of turns. The same array as before as long as only health changes. */
  readonly members: readonly Member[]
  /** Where in `members` an id is. */
  readonly indexes: ReadonlyMap<string, number>
  /** 1 for each of `members` that takes keys. */
  readonly available: Uint8Array
  /** How many of `available` have a weight, and so can own slots. */
  readonly takers: number
  /** Part of its slots that each of `members` has for now; undefined where all have all. */
  readonly ramps: Float64Array | undefined
}

export function configure<T>(given: Iterable<string | Backend<T>>, settings: Settings): Configuration<T> {
  const backends = new Map<string, ConfiguredBackend<T>>()
  // A string is iterable too: its letters would be backends.
  if (typeof given !== 'object' || given === null || !(Symbol.iterator in given)) {
    throw new MaglevError('INVALID_BACKEND', `The backends must be a list, not ${shown(given)}`)
  }
  for (const backend of given) addBackend(backends, backend, settings)
  return arrange(backends, settings, undefined)
}

/** The configuration after `change`; `last` stays as it is. */
export function reconfigure<T>(
  last: Configuration<T>,
  change: Change<T>,
  settings: Settings,
): Configuration<T> {
  checkChange(change)
  const backends = new Map(last.backends)
  /** Those of whom nothing but health and ramp is another. */
  const altered: string[] = []
  for (const id of change.remove ?? []) {
    known(backends, id)
    backends.delete(id)
  }
  for (const backend of change.add ?? []) addBackend(backends, backend, settings)
  for (const [id, given] of Object.entries(change.weight ?? {})) {
    const backend = known(backends, id)
    const weight = checkWeight(given, id)
    if (weight === backend.weight) continue
    const reweighted = Object.freeze({ ...backend, weight })
    settings.mode.check(reweighted)
    backends.set(id, reweighted)
  }
  for (const [id, given] of Object.entries(change.ramp ?? {})) {
    const backend = known(backends, id)
    const ramped = Object.freeze({ ...backend, ramp: checkRamp(given, id) })
    refuseRamp(ramped, settings)
    if (ramped.ramp === backend.ramp) continue
    backends.set(id, ramped)
    altered.push(id)
  }
  for (const [id, given] of Object.entries(change.health ?? {})) {
    const backend = known(backends, id)
    const health = checkHealth(given, id)
    if (health === backend.health) continue
    backends.set(id, Object.freeze({ ...backend, health }))
    altered.push(id)
  }
  const { add = [], remove = [], weight = {} } = change
  if (add.length + remove.length + Object.keys(weight).length > 0) return arrange(backends, settings, last)
  return alter(last, backends, altered, settings)
}

/** What is not understood must not be passed over: a change with a slip in it would do nothing, in silence. */
export function checkChange(change: unknown): void {
  // A Set has an `add` as well.
  if (typeof change !== 'object' || change === null || Symbol.iterator in change) {
    throw new MaglevError(
      'INVALID_OPTION',
      `A change must be an object such as { add: […] }, not ${shown(change)}`,
    )
  }
  for (const [name, value] of Object.entries(change)) {
    const form = Object.hasOwn(changeForms, name) ? changeForms[name] : undefined
    if (form === undefined) {
      throw new MaglevError(
        'INVALID_OPTION',
        `A change has no ${shown(name)}; it may have ${Object.keys(changeForms).join(', ')}`,
      )
    }
    const isList = Array.isArray(value)
    const isRecord = typeof value === 'object' && value !== null && !(Symbol.iterator in value)
    if (value === undefined || (form === 'a list' ? isList : isRecord)) continue
    throw new MaglevError('INVALID_OPTION', `${name} of a change must be ${form}, not ${shown(value)}`)
  }
}

function addBackend<T>(
  backends: Map<string, ConfiguredBackend<T>>,
  given: string | Backend<T>,
  settings: Settings,
): void {
  const { mode, zones } = settings
  const backend = configureBackend(given)
  if (backends.has(backend.id)) {
    throw new MaglevError(
      'DUPLICATE_BACKEND',
      `Backend ${shown(backend.id)} is listed twice; ids must be unique`,
    )
  }
  if (zones && !zones.has(backend.zone ?? '')) {
    throw new MaglevError(
      'INVALID_BACKEND',
      `Backend ${shown(backend.id)}: option zones has no weight for its zone ${shown(backend.zone)}`,
    )
  }
  mode.check(backend)
  refuseRamp(backend, settings)
  backends.set(backend.id, backend)
}

function refuseRamp({ id, ramp }: ConfiguredBackend, { modeName }: Settings): void {
  if (ramp === 1 || modeName === 'stable' || modeName === 'classic' || modeName === 'envoy') return
  throw new MaglevError('INVALID_WEIGHT', `Backend ${shown(id)}: mode ${modeName} has no ramp, not ${ramp}`)
}

/** An object would be made text of as the name of a property. */
export function checkedId(id: string): string {
  if (typeof id === 'string') return id
  throw new MaglevError('UNKNOWN_BACKEND', `There is no backend ${shown(id)}`)
}

function known<T>(backends: ReadonlyMap<string, ConfiguredBackend<T>>, id: string): ConfiguredBackend<T> {
  const backend = backends.get(id)
  if (backend === undefined) throw new MaglevError('UNKNOWN_BACKEND', `There is no backend ${shown(id)}`)
  return backend
}

function arrange<T>(
  backends: ReadonlyMap<string, ConfiguredBackend<T>>,
  settings: Settings,
  last: Configuration<T> | undefined,
): Configuration<T> {
  const members = arrangeMembers(backends, settings, last)
  const indexes =
    members === last?.members ? last.indexes : new Map(members.map(({ id }, index) => [id, index]))
  const available = new Uint8Array(members.length)
  const parts = new Float64Array(members.length)
  let takers = 0
  for (const [index, member] of members.entries()) {
    const { health, ramp } = backends.get(member.id) ?? { health: 'disabled', ramp: 1 }
    available[index] = takesKeys(health) ? 1 : 0
    parts[index] = ramp
    if (available[index] === 1 && weighs(member, settings)) takers++
  }
  return { backends, members, indexes, available, takers, ramps: rampsOf(parts) }
}

/** The same members, some of which have another health or ramp: what happens most often, and must be quick. */
function alter<T>(
  last: Configuration<T>,
  backends: ReadonlyMap<string, ConfiguredBackend<T>>,
  altered: readonly string[],
  settings: Settings,
): Configuration<T> {
  const { members, indexes } = last
  const available = last.available.slice()
  const parts = last.ramps?.slice() ?? new Float64Array(members.length).fill(1)
  let { takers } = last
  for (const id of altered) {
    const index = indexes.get(id)
    const member = members[index ?? -1]
    const backend = backends.get(id)
    if (index === undefined || member === undefined || backend === undefined) continue
    const before = available[index] ?? 0
    const now = takesKeys(backend.health) ? 1 : 0
    available[index] = now
    parts[index] = backend.ramp
    if (weighs(member, settings)) takers += now - before
  }
  return { backends, members, indexes, available, takers, ramps: rampsOf(parts) }
}

function rampsOf(parts: Float64Array): Float64Array | undefined {
  return parts.some((part) => part < 1) ? parts : undefined
}

function weighs({ weight, zone }: Member, { zones }: Settings): boolean {
  return weight > 0 && (zones?.get(zone ?? '') ?? 1) > 0
}

function arrangeMembers<T>(
  backends: ReadonlyMap<string, ConfiguredBackend<T>>,
  settings: Settings,
  last: Configuration<T> | undefined,
): readonly Member[] {
  checkTotals(backends, settings)
  const members: Member[] = []
  const added: Member[] = []
  let same = last?.members.length === backends.size
  // Those of before are in order, which does not depend on weights: only new ones have to find their place.
  for (const before of last?.members ?? []) {
    const backend = backends.get(before.id)
    if (backend !== undefined && isMemberOf(before, backend)) members.push(before)
    else {
      same = false
      if (backend !== undefined)
        (before.hash === backend.hash ? members : added).push(enlist(backend, settings, before))
    }
  }
  if (last && same) return last.members
  for (const [id, backend] of backends) {
    if (last?.indexes.has(id) !== true) added.push(enlist(backend, settings, undefined))
  }
  if (added.length === 0) return members
  return [...members, ...added.toSorted(inTurn)].toSorted(inTurn)
}

function inTurn(a: Member, b: Member): number {
  return a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : compareUtf8(a.id, b.id)
}

function isMemberOf(member: Member, { weight, zone, hash }: ConfiguredBackend): boolean {
  return member.weight === weight && member.zone === zone && member.hash === hash
}

function enlist(backend: ConfiguredBackend, { mode }: Settings, before: Member | undefined): Member {
  const { id, weight, zone, hash } = backend
  // The list depends on id and hash alone, and making it is half the work of adding a backend.
  if (before && before.hash === hash) return { ...before, weight, zone }
  return { id, weight, zone, hash, rank: mode.rank(backend), walk: mode.walk(backend) }
}

function checkTotals(backends: ReadonlyMap<string, ConfiguredBackend>, settings: Settings): void {
  const { modeName, size, allowStarved } = settings
  if (modeName === 'go-maglev' && backends.size > goMaglevBackendsMax) {
    throw new MaglevError(
      'TOO_MANY_BACKENDS',
      `mode go-maglev holds ${goMaglevBackendsMax} backends, not ${backends.size}`,
    )
  }
  if (backends.size > size && !allowStarved) {
    throw new MaglevError(
      'TABLE_TOO_SMALL',
      `${backends.size} backends do not fit ${size} slots; take a larger tableSize, or allowStarved to let some own none`,
    )
  }
  let total = 0
  for (const { weight } of backends.values()) total += weight
  if (total > totalWeightMax) {
    throw new MaglevError(
      'INVALID_WEIGHT',
      `The weights sum to ${total}; they may sum to ${totalWeightMax} at most`,
    )
  }
}
