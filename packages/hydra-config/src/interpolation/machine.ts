import { isHydraConfigError } from '../errors.ts'
import { convertResult, standsForContainer } from '../structured/convert-result.ts'
import { plainView } from '../value/plain.ts'
import type { Value } from '../value/value.ts'
import { Composites } from './composites.ts'
import { cycleError, unresolved } from './errors.ts'
import { failureAt, located } from './failure.ts'
import { Frame, type Read, type Walk } from './frame.ts'
import { type BuiltInAnswer, ocResolvers } from './oc-resolvers.ts'
import { combined, ensureDepth, ensureText, filled, holdSecret, take, unsettled } from './operands.ts'
import type { ResolveOptions } from './options.ts'
import { interpolationAt, isMissing, Place } from './place.ts'
import {
  type CallStep,
  type Combination,
  compile,
  compileElement,
  type Program,
  type Step,
} from './program.ts'
import { type KeyPath, parsePath } from './split-key.ts'
import { survey } from './survey.ts'
import { Taint } from './taint.ts'
import { type CallSite, type UserResolvers, unanswered } from './user-resolvers.ts'
import { nextPlace, startOf } from './walk.ts'

// Where a search finds nothing, inside of the machine.
const nothing = new Place(unsettled.value)

const framesMax = 100_000
// Each resolver that selects, or takes a map with interpolations, takes some of JavaScript's own stack.
const nestedMax = 100
const unkeptMax = 100_000

/** What the machine asks of those who use it. */
export interface MachineParts {
  readonly options: ResolveOptions
  readonly resolvers: UserResolvers
  /** All that a place holds, resolved; undefined where it is unsettled. */
  readonly content: (place: Place) => Value | undefined
}

/**
 * Evaluates interpolations on a stack of its own, so that no chain of them is too long. What a place leads to is kept;
 * what waits for a promise only until {@link Machine.forgetUnsettled}. Places answered may be {@link unsettled}.
 */
export class Machine {
  readonly #parts: MachineParts
  readonly #frames: Frame[] = []
  readonly #inProgress = new Set<Place>()
  readonly #known = new Map<Place, Place>()
  readonly #taint = new Taint()
  readonly #composites = new Composites()
  #unsettled: Place[] = []
  #returned: Place = unsettled
  #nested = 0
  /** Values that were evaluated since the stack was empty, and not kept. */
  #unkept = 0

  constructor(parts: MachineParts) {
    this.#parts = parts
  }

  /** The place that an interpolation leads to; the place itself where there is none. */
  dereference(place: Place): Place {
    const text = interpolationAt(place)
    if (text === undefined) return place
    return this.#known.get(place) ?? this.#run(this.#frameOf(place, text, undefined))
  }

  /** What the interpolation of a place reads, to its end or until it fails. */
  readsOf(place: Place): readonly Read[] {
    const reads: Read[] = []
    const text = interpolationAt(place)
    if (text === undefined) return reads
    try {
      this.#run(this.#frameOf(place, text, reads))
    } catch (error) {
      if (!isHydraConfigError(error)) throw error
    }
    return reads
  }

  /** Follows a path from the root, or with a leading dot from `from`; undefined where it ends or passes a scalar. */
  find(from: Place, written: string, throwOnMissing: boolean): Place | undefined {
    const frame = new Frame(undefined, from, [], false)
    this.#startWalk(frame, parsePath(written), throwOnMissing, false, (found) => found ?? nothing)
    const found = this.#run(frame)
    return found === nothing ? undefined : found
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
    const frame = new Frame(node, parent, compiledAt(node, text, isSecret), isSecret)
    frame.whole = true
    frame.reads = reads
    frame.unkeptBefore = this.#parts.resolvers.unkept
    return frame
  }

  #run(first: Frame): Place {
    const bottom = this.#frames.length
    if (bottom === 0) this.#unkept = 0
    try {
      if (++this.#nested > nestedMax) {
        throw unresolved(
          'InterpolationResolutionError',
          `resolvers need each other through more than ${nestedMax} levels`,
        )
      }
      this.#push(first)
      for (let frame: Frame | undefined = first; frame !== undefined; frame = this.#frames.at(-1)) {
        if (this.#frames.length === bottom) break
        this.#advance(frame)
      }
      return this.#returned
    } catch (error) {
      const top = this.#frames.length > bottom ? this.#frames.at(-1) : undefined
      while (this.#frames.length > bottom) this.#pop()
      throw top === undefined ? error : failureAt(top, error)
    } finally {
      this.#nested--
    }
  }

  #push(frame: Frame): void {
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
        throw cycleError(nodes.slice(nodes.lastIndexOf(node)), 'the interpolation')
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
      this.#give(frame, this.#returned === unsettled ? unsettled : this.#returned.value)
    }
    for (;;) {
      if (frame.walk !== undefined) {
        if (!this.#follow(frame, frame.walk)) return
        this.#arrive(frame, frame.walk)
      }
      const step = frame.program[frame.next++]
      if (step === undefined) return this.#finish(frame)
      if (step.op === 'call') {
        if (this.#call(frame, step)) return
      } else this.#step(frame, step)
    }
  }

  #finish(frame: Frame): void {
    const { node } = frame
    const result = frame.operands.pop() ?? unsettled
    const tainted = frame.secret ? this.#taint.place(result) : result
    const typed = frame.whole && node !== undefined && tainted !== unsettled
    const given = typed ? convertResult(node, tainted) : tainted
    this.#pop()
    this.#returned = given
    if (!frame.whole || node === undefined) return
    if (given === unsettled) this.#unsettled.push(node)
    if (given === unsettled || frame.unkeptBefore === this.#parts.resolvers.unkept)
      this.#known.set(node, given)
    else if (++this.#unkept > unkeptMax) {
      throw unresolved(
        'InterpolationResolutionError',
        `more than ${unkeptMax} values depend on resolvers that are called each time: use semantics 'strict', or useCache`,
      )
    }
  }

  #step(frame: Frame, step: Exclude<Step, CallStep>): void {
    if (step.op === 'node') return this.#startWalk(frame, step.path, true, false)
    if (step.op === 'literal') return this.#give(frame, step.value)
    if (step.op === 'text only') return ensureText(frame)
    const taken = take(frame, step.op === 'joined node' ? step.template.gaps : step.count)
    if (taken === undefined) return this.#give(frame, unsettled)
    if (step.op !== 'joined node') return this.#combine(frame, step, taken)
    return this.#startWalk(frame, parsePath(filled(step.template, taken)), true, holdSecret(taken))
  }

  /** The next operand: a place, or a value as a whole. */
  #give(frame: Frame, answer: Place | Value): void {
    frame.operands.push(
      answer instanceof Place ? answer : new Place(answer, frame.parent, frame.node?.key, true),
    )
  }

  #combine(frame: Frame, step: Combination, operands: readonly Place[]): void {
    const made = new Place(combined(step, operands), frame.parent, frame.node?.key, true)
    this.#composites.add(made, step, operands)
    this.#give(frame, made)
  }

  #startWalk(
    frame: Frame,
    path: KeyPath,
    throwOnMissing: boolean,
    isSecret: boolean,
    receive?: (found: Place | undefined) => Place | Value,
  ): void {
    const at = startOf(path, frame.parent)
    if (at === undefined) {
      const ofClass = receive === undefined ? 'InterpolationKeyError' : 'ConfigKeyError'
      throw unresolved(ofClass, `${path.written}: there is nothing above the root`)
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
          this.#push(this.#frameOf(child, text, undefined))
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
        if (walk.receive !== undefined || standsForContainer(place.value)) return true
        throw unresolved(
          'ConfigTypeError',
          `${walk.path.written}: ${JSON.stringify(keys[walk.index])} is neither a map nor a list`,
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
    if (found === unsettled) return this.#give(frame, unsettled)
    if (receive !== undefined) return this.#give(frame, this.#taint.answer(receive(found), isSecret))
    if (found === undefined) {
      throw unresolved('InterpolationKeyError', `${JSON.stringify(path.written)}: the key is not there`)
    }
    if (found.isContainer) {
      for (let above: Place | undefined = frame.parent; above !== undefined; above = above.parent) {
        if (above !== found) continue
        throw unresolved('InterpolationResolutionError', `${path.written}: an interpolation to what holds it`)
      }
    }
    this.#give(frame, this.#taint.answer(found, isSecret))
  }

  /** Whether another frame has to be done first. */
  #call(frame: Frame, step: CallStep): boolean {
    const args = take(frame, step.sources.length)
    const parts = take(frame, step.name.gaps)
    if (args === undefined || parts === undefined || frame.node === undefined) {
      this.#give(frame, unsettled)
      return false
    }
    const name = filled(step.name, parts)
    const { node, parent, reads } = frame
    const { resolvers, options } = this.#parts
    if (resolvers.has(name)) {
      this.#give(
        frame,
        this.#ask(
          { name, node, at: `${frame.scope}${frame.next}`, sources: step.sources, secret: holdSecret(parts) },
          parent,
          args,
        ),
      )
      return false
    }
    const builtIn = ocResolvers.get(name)
    if (builtIn === undefined) {
      throw unresolved('UnsupportedInterpolationType', `there is no resolver ${JSON.stringify(name)}`)
    }
    const readEnvironment = (variable: string): string | undefined => {
      reads?.push({ environment: variable })
      return options.environment?.(variable)
    }
    const answer = builtIn(args, { node, parent, options, readEnvironment })
    // What comes of a default or a message carries its own secrets.
    return this.#proceed(frame, answer, holdSecret([...args.slice(0, 1), ...parts]))
  }

  #proceed(frame: Frame, answer: BuiltInAnswer, isSecret: boolean): boolean {
    if (answer instanceof Place || (answer.kind !== 'search' && answer.kind !== 'evaluation')) {
      this.#give(frame, this.#taint.answer(answer, isSecret))
      return false
    }
    if (answer.kind === 'search') {
      this.#startWalk(frame, parsePath(answer.path), answer.throwOnMissing, isSecret, answer.receive)
      return false
    }
    const { node, parent, reads } = frame
    const inner = new Frame(node, parent, compileElement(answer.text), isSecret)
    inner.reads = reads
    inner.scope = `${frame.scope}${frame.next} ${answer.text} `
    this.#push(inner)
    frame.awaits = true
    return true
  }

  /** What a resolver of the user answers. */
  #ask(called: Omit<CallSite, 'args' | 'select'>, parent: Place, args: readonly Place[]): Place {
    const plain: unknown[] = []
    const given = (place: Place): unknown => {
      const value = place === unsettled ? undefined : this.#composites.content(place, this.#parts.content)
      if (value === undefined) throw unanswered
      ensureDepth(value)
      site.secret ||= survey(value).secret
      return plainView(value)
    }
    const site: CallSite = {
      ...called,
      args: plain,
      select: (path) => {
        const found = this.find(parent, path, false)
        return found === undefined || isMissing(found) ? undefined : given(found)
      },
    }
    try {
      plain.push(...args.map(given))
    } catch (error) {
      if (error === unanswered) return unsettled
      throw error
    }
    const answer = this.#parts.resolvers.answer(site)
    return answer === undefined ? unsettled : new Place(answer.value, parent, site.node.key, answer.opaque)
  }
}

/** The program of a place, its error with path and origin. */
function compiledAt(node: Place, text: string, isSecret: boolean): Program {
  try {
    return compile(text, !isSecret)
  } catch (error) {
    throw isHydraConfigError(error) ? located(node, isSecret, error) : error
  }
}
