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
    if (ramped.ramp !== backend.ramp) backends.set(id, ramped)
  }
  for (const [id, given] of Object.entries(change.health ?? {})) {
    const backend = known(backends, id)
    const health = checkHealth(given, id)
    if (health !== backend.health) backends.set(id, Object.freeze({ ...backend, health }))
  }
  return arrange(backends, settings, last)
}

/** What is not understood must not be passed over: a change with a slip in it would do nothing, in silence. */
function checkChange(change: unknown): void {
  if (typeof change !== 'object' || change === null) {
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
  const available = Uint8Array.from(members, ({ id }) =>
    takesKeys(backends.get(id)?.health ?? 'disabled') ? 1 : 0,
  )
  const parts = Float64Array.from(members, ({ id }) => backends.get(id)?.ramp ?? 1)
  const weighs = ({ weight, zone }: Member): boolean =>
    weight > 0 && (settings.zones?.get(zone ?? '') ?? 1) > 0
  let takers = 0
  for (const [index, member] of members.entries()) if (available[index] === 1 && weighs(member)) takers++
  return { backends, members, available, takers, ramps: parts.some((part) => part < 1) ? parts : undefined }
}

function arrangeMembers<T>(
  backends: ReadonlyMap<string, ConfiguredBackend<T>>,
  settings: Settings,
  last: Configuration<T> | undefined,
): readonly Member[] {
  checkTotals(backends, settings)
  const lastMembers = new Map(last?.members.map((member) => [member.id, member]))
  let same = lastMembers.size === backends.size
  const members: Member[] = []
  for (const backend of backends.values()) {
    const before = lastMembers.get(backend.id)
    const kept = before !== undefined && isMemberOf(before, backend) ? before : undefined
    same &&= kept !== undefined
    members.push(kept ?? enlist(backend, settings, before))
  }
  if (last && same) return last.members
  return members.toSorted((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : compareUtf8(a.id, b.id)))
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
