import { isHydraConfigError } from '../errors.ts'
import type { Place } from '../value/place.ts'
import { type ListValue, list, type MapKey, type MapValue, scalar, type Value } from '../value/value.ts'
import type { Calls } from './calls.ts'
import { cycleError, unresolved } from './errors.ts'
import type { Machine } from './machine.ts'
import { unsettled } from './operands.ts'
import { survey } from './survey.ts'

const openMax = 100_000
const valuesMax = 1_000_000
const unkeptMax = 100_000

/** A map or list whose interpolations are being resolved. */
interface Open {
  readonly place: Place
  readonly value: ListValue | MapValue
  readonly entries: readonly (readonly [MapKey, Value])[]
  readonly made: Value[]
  readonly unkeptBefore: number | undefined
  settled: boolean
}

/** Resolves all that a place holds, on a stack of its own. What was resolved is kept and shared. */
export class Content {
  readonly #machine: Machine
  readonly #calls: Calls | undefined
  readonly #inPlace: boolean
  readonly #known = new Map<Place, Value>()
  readonly #open = new Set<Place>()
  /** Maps and lists that were gone through for one value, and not kept. */
  #unkept = 0

  /**
   * With `inPlace` as `OmegaConf.resolve`: what leads to `???` becomes `???`, and what was found stands in its place from
   * then on. Without it as `to_container`: what leads to `???` is an error.
   */
  constructor(machine: Machine, calls: Calls | undefined, inPlace: boolean) {
    this.#machine = machine
    this.#calls = calls
    this.#inPlace = inPlace
  }

  /** Undefined where something in it waits for a promise. All that can be asked has been asked then. */
  of(place: Place): Value | undefined {
    const stack: Open[] = []
    let settled = true
    const given: Value[] = []
    const accept = (value: Value | undefined): void => {
      const top = stack.at(-1)
      if (value === undefined) {
        if (top === undefined) settled = false
        else top.settled = false
      }
      ;(top?.made ?? given).push(value ?? unsettled.value)
    }
    this.#unkept = 0
    try {
      this.#enter(place, stack, accept)
      for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
        const entry = top.entries[top.made.length]
        if (entry === undefined) {
          stack.pop()
          accept(this.#close(top))
          continue
        }
        const [key, item] = entry
        if (!survey(item).interpolated) {
          accept(item)
          continue
        }
        const child = top.place.child(key)
        const target = child === undefined ? undefined : this.#target(child)
        if (target === undefined) accept(child === undefined ? item : scalar('???', item.origin))
        else this.#enter(target, stack, accept)
      }
    } finally {
      for (const { place: left } of stack) this.#open.delete(left)
    }
    return settled ? given[0] : undefined
  }

  /** Accepts a value, now or when it has been gone through. */
  #enter(place: Place, stack: Open[], accept: (value: Value | undefined) => void): void {
    const { value } = place
    if (place === unsettled) accept(undefined)
    else if (value.kind === 'scalar' || place.opaque || !survey(value).interpolated) accept(value)
    else {
      const known = this.#known.get(place)
      if (known === undefined) this.#push(place, value, stack)
      else accept(known)
    }
  }

  #push(place: Place, value: ListValue | MapValue, stack: Open[]): void {
    if (this.#open.has(place)) {
      const places = stack.map((each) => each.place)
      throw cycleError(places.slice(Math.max(places.indexOf(place), 0)))
    }
    if (stack.length >= openMax) throw tooMuch()
    this.#open.add(place)
    const entries: readonly (readonly [MapKey, Value])[] =
      value.kind === 'map'
        ? [...value.entries]
        : value.items.map((item, index) => [BigInt(index), item] as const)
    stack.push({ place, value, entries, made: [], unkeptBefore: this.#calls?.unkept, settled: true })
  }

  #close({ place, value, entries, made, settled, unkeptBefore }: Open): Value | undefined {
    this.#open.delete(place)
    if (!settled) return undefined
    const resolved: Value =
      value.kind === 'list'
        ? list(made, value.origin)
        : {
            kind: 'map',
            entries: new Map(entries.map(([key, item], index) => [key, made[index] ?? item] as const)),
            origin: value.origin,
            typing: value.typing,
          }
    if (survey(resolved).size - survey(value).size > valuesMax) throw tooMuch()
    if (this.#inPlace || unkeptBefore === this.#calls?.unkept) this.#known.set(place, resolved)
    else if (++this.#unkept > unkeptMax) throw tooMuch()
    return resolved
  }

  /** The place that a place leads to; undefined where that is missing and may be. */
  #target(place: Place): Place | undefined {
    try {
      const target = this.#machine.dereference(place)
      if (this.#inPlace) this.#machine.keep(place, target)
      return target
    } catch (error) {
      const isMissing = isHydraConfigError(error) && error.class === 'InterpolationToMissingValueError'
      if (!isMissing || !this.#inPlace) throw error
      return undefined
    }
  }
}

function tooMuch(): Error {
  return unresolved(
    'InterpolationResolutionError',
    `interpolations lead to more than ${valuesMax} values, or deeper than ${openMax}`,
  )
}
