import { isHydraConfigError } from '../errors.ts'
import { needFeature } from '../need-feature.ts'
import { interpolationAt, Place } from '../value/place.ts'
import { standsForContainer } from '../value/typing.ts'
import type { Value } from '../value/value.ts'
import type { Calls } from './calls.ts'
import { cycleError, unresolved } from './errors.ts'
import { failureAt, located } from './failure.ts'
import { Frame, type Read, type Walk } from './frame.ts'
import { ensureText, filled, holdSecret, joined, take, unsettled } from './operands.ts'
import type { ResolveOptions } from './options.ts'
import { parseInterpolation } from './parse.ts'
import { type CallStep, type Combination, type Program, type Step, simpleProgram } from './program.ts'
import { type KeyPath, parsePath } from './split-key.ts'
import type { Taint } from './taint.ts'
import { nextPlace, startOf } from './walk.ts'

// Where a search finds nothing, inside of the machine.
const nothing = new Place(unsettled.value)

const framesMax = 100_000

/** What the machine asks of those who use it. */
export interface MachineParts {
  readonly options: ResolveOptions
  readonly calls: Calls | undefined
  /** All that a place holds, resolved; undefined where it is unsettled. */
  readonly content: (place: Place) => Value | undefined
}

/**
 * Evaluates interpolations on a stack of its own, so that no chain of them is too long. What a place leads to is kept;
 * what waits for a promise only until {@link Machine.forgetUnsettled}. Places answered may be {@link unsettled}.
 */
export class Machine {
  readonly parts: MachineParts
  readonly #frames: Frame[] = []
  readonly #inProgress = new Set<Place>()
  readonly #known = new Map<Place, Place>()
  #taint: Taint | undefined = undefined
  #unsettled: Place[] = []
  #returned: Place = unsettled
  /** Values that were evaluated since the stack was empty, and not kept. */
  #unkept = 0

  constructor(parts: MachineParts) {
    this.parts = parts
  }

  /**
   * The place that an interpolation leads to; the place itself where there is none.
   * @param reads takes what the interpolation reads: it is evaluated anew then
   */
  dereference(place: Place, reads?: Read[]): Place {
    const text = interpolationAt(place)
    if (text === undefined) return place
    const known = reads === undefined ? this.#known.get(place) : undefined
    return known ?? this.#run(this.#frameOf(place, text, reads))
  }

  /** Follows a path from the root, or with a leading dot from `from`; undefined where it ends or passes a scalar. */
  find(from: Place, written: string, throwOnMissing: boolean): Place | undefined {
    const frame = new Frame(undefined, from, [], false)
    this.startWalk(frame, parsePath(written), throwOnMissing, false, (found) => found ?? nothing)
    const found = this.#run(frame)
    return found === nothing ? undefined : found
  }

  /** All that a place holds, resolved; undefined where it is unsettled. */
  content(place: Place): Value | undefined {
    return this.parts.content(place)
  }

  /** Lets a place lead to one and the same from now on, as `OmegaConf.resolve` puts what it found in its place. */
  keep(place: Place, target: Place): void {
    if (target !== unsettled && place !== target) this.#known.set(place, target)
  }

  /** Lets what waited be evaluated again. */
  forgetUnsettled(): void {
    for (const place of this.#unsettled) this.#known.delete(place)
    this.#unsettled = []
  }

  #frameOf(node: Place, text: string, reads: Read[] | undefined): Frame {
    const { parent, value } = node
    if (parent === undefined) {
      throw unresolved('InterpolationResolutionError', 'an interpolation needs a map or list around it')
    }
    const isSecret = value.kind === 'scalar' && value.secret === true
    const frame = new Frame(node, parent, this.#compiled(node, text, isSecret), isSecret)
    frame.whole = true
    frame.reads = reads
    frame.unkeptBefore = this.parts.calls?.unkept
    return frame
  }

  /** The program of a place, its error with path and origin. */
  #compiled(node: Place, text: string, isSecret: boolean): Program {
    try {
      const { parts } = this.parts.options
      return (
        parts?.resolverCalls?.compile(text, !isSecret) ??
        simpleProgram(text) ??
        parseInterpolation(text, undefined)
      )
    } catch (error) {
      throw isHydraConfigError(error) ? located(node, isSecret, error) : error
    }
  }

  #run(first: Frame): Place {
    const bottom = this.#frames.length
    if (bottom === 0) this.#unkept = 0
    try {
      this.push(first)
      for (let frame: Frame | undefined = first; frame !== undefined; frame = this.#frames.at(-1)) {
        if (this.#frames.length === bottom) break
        this.#advance(frame)
      }
      return this.#returned
    } catch (error) {
      const top = this.#frames.length > bottom ? this.#frames.at(-1) : undefined
      while (this.#frames.length > bottom) this.#pop()
      throw top === undefined ? error : failureAt(top, error)
    }
  }

  push(frame: Frame): void {
    const { node } = frame
    if (this.#frames.length >= framesMax) {
      throw unresolved(
        'InterpolationResolutionError',
        `interpolations lead on for more than ${framesMax} steps`,
      )
    }
    if (frame.whole && node !== undefined) {
      if (this.#inProgress.has(node)) {
        const nodes = this.#frames.flatMap((each) =>
          each.whole && each.node !== undefined ? [each.node] : [],
        )
        throw cycleError(nodes.slice(nodes.lastIndexOf(node)))
      }
      this.#inProgress.add(node)
    }
    this.#frames.push(frame)
  }

  #pop(): void {
    const frame = this.#frames.pop()
    if (frame?.whole && frame.node !== undefined) this.#inProgress.delete(frame.node)
  }

  /** Evaluates until the frame is done, or another one stands on it. */
  #advance(frame: Frame): void {
    if (frame.awaits) {
      frame.awaits = false
      this.give(frame, this.#returned === unsettled ? unsettled : this.#returned.value)
    }
    for (;;) {
      if (frame.walk !== undefined) {
        if (!this.#follow(frame, frame.walk)) return
        this.#arrive(frame, frame.walk)
      }
      const step = frame.program[frame.next++]
      if (step === undefined) return this.#finish(frame)
      if (step.op === 'call') {
        // Without it the parser knows no calls.
        if (this.parts.options.parts?.resolverCalls?.call(frame, step, this) !== false) return
      } else this.#step(frame, step)
    }
  }

  #finish(frame: Frame): void {
    const { node } = frame
    const result = frame.operands.pop() ?? unsettled
    const tainted = frame.secret ? this.#tainter.place(result) : result
    const rules = frame.whole && tainted !== unsettled ? node?.value.typing?.rules : undefined
    const given = rules && node ? rules.convertResult(node, tainted) : tainted
    this.#pop()
    this.#returned = given
    if (!frame.whole || node === undefined) return
    if (given === unsettled) this.#unsettled.push(node)
    const { calls } = this.parts
    if (given === unsettled || frame.unkeptBefore === calls?.unkept) this.#known.set(node, given)
    else calls?.count(++this.#unkept)
  }

  #step(frame: Frame, step: Exclude<Step, CallStep>): void {
    if (step.op === 'node') return this.startWalk(frame, step.path, true, false)
    if (step.op === 'literal') return this.give(frame, step.value)
    if (step.op === 'text only') return ensureText(frame)
    const taken = take(frame, step.op === 'joined node' ? step.template.gaps : step.count)
    if (taken === undefined) return this.give(frame, unsettled)
    if (step.op !== 'joined node') return this.#combine(frame, step, taken)
    return this.startWalk(frame, parsePath(filled(step.template, taken)), true, holdSecret(taken))
  }

  /** What makes secret what comes of secrets. */
  get #tainter(): Taint {
    this.#taint ??= this.parts.options.parts?.taint?.() ?? needFeature('what is secret', 'secretValues')
    return this.#taint
  }

  /** What was answered, secret if `isSecret`. */
  answered(answer: Place | Value, isSecret: boolean): Place | Value {
    if (!isSecret) return answer
    return answer instanceof Place ? this.#tainter.place(answer) : this.#tainter.value(answer)
  }

  /** The next operand: a place, or a value as a whole. */
  give(frame: Frame, answer: Place | Value): void {
    frame.operands.push(
      answer instanceof Place ? answer : new Place(answer, frame.parent, frame.node?.key, true),
    )
  }

  #combine(frame: Frame, step: Combination, operands: readonly Place[]): void {
    const value =
      step.op === 'text'
        ? joined(step.template, operands, (parts) => this.#tainter.text(parts))
        : step.make(operands)
    const made = new Place(value, frame.parent, frame.node?.key, true)
    this.parts.calls?.made(made, step, operands)
    this.give(frame, made)
  }

  startWalk(
    frame: Frame,
    path: KeyPath,
    throwOnMissing: boolean,
    isSecret: boolean,
    receive?: (found: Place | undefined) => Place | Value,
  ): void {
    const at = startOf(path, frame.parent)
    if (at === undefined) {
      const told = `Error resolving key '${path.written}'`
      if (receive !== undefined) throw unresolved('ConfigKeyError', told)
      throw unresolved('InterpolationKeyError', `ConfigKeyError while resolving interpolation: ${told}`)
    }
    frame.walk = {
      path,
      throwOnMissing,
      receive,
      secret: isSecret,
      index: 0,
      at,
      waits: false,
      found: undefined,
    }
  }

  /** Goes on as far as possible; false where another frame has to be done first. */
  #follow(frame: Frame, walk: Walk): boolean {
    const { keys } = walk.path
    if (keys.length === 0) walk.found = walk.at
    while (walk.index < keys.length) {
      const isLast = walk.index === keys.length - 1
      let place: Place | undefined = this.#returned
      if (!walk.waits) {
        const child = nextPlace(walk)
        if (child === undefined) return true
        const text = interpolationAt(child)
        if (isLast || text !== undefined) frame.reads?.push({ place: child })
        place = text === undefined ? child : this.#known.get(child)
        if (text !== undefined && place === undefined) {
          this.push(this.#frameOf(child, text, undefined))
          walk.waits = true
          return false
        }
      }
      walk.waits = false
      if (place === undefined) return true
      if (isLast || place === unsettled) {
        walk.found = place
        return true
      }
      if (!place.isContainer) {
        // A place that is neither in a configuration nor a plain answer was made for a map or list.
        const isNoMap = !place.opaque && place.key === undefined
        if (walk.receive !== undefined || isNoMap || standsForContainer(place.value)) return true
        const passed = keys.slice(0, walk.index + 1).join('.')
        throw unresolved(
          'ConfigTypeError',
          `Error trying to access ${bareKey(walk.path)}: node \`${passed}\` is not a container ` +
            `and thus cannot contain \`${keys[walk.index + 1]}\``,
        )
      }
      walk.at = place
      walk.index++
    }
    return true
  }

  /** Gives what a path led to, or what becomes of it. */
  #arrive(frame: Frame, { found, receive, path, secret: isSecret }: Walk): void {
    frame.walk = undefined
    if (found === unsettled) return this.give(frame, unsettled)
    if (receive !== undefined) return this.give(frame, this.answered(receive(found), isSecret))
    if (found === undefined) {
      throw unresolved('InterpolationKeyError', `Interpolation key '${bareKey(path)}' not found`)
    }
    if (found.isContainer) {
      for (let above: Place | undefined = frame.parent; above !== undefined; above = above.parent) {
        if (above !== found) continue
        throw unresolved('InterpolationResolutionError', 'Interpolation to parent node detected')
      }
    }
    this.give(frame, this.answered(found, isSecret))
  }
}

/** As it was written, from the map or list that it starts in. */
function bareKey({ written }: KeyPath): string {
  return written.replace(/^\.+/, '')
}
