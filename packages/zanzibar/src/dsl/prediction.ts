// ANTLR's adaptive LL(*) (Parr, Harwell, Fisher, OOPSLA 2014): which alternative a text takes is found by running all of them at once over
// the tokens ahead, first without regard to who called the rule (SLL), and where that leaves a conflict once more with it (LL).
import type { State } from './grammar.ts'
import { endOfFile, type Kind, type Token } from './tokens.ts'

/** Where the open rules return to, of one or several ways to have come here. Equal ones are the same object. */
export interface Stack {
  readonly id: number
  /** Sorted by `to.id`; `undefined` is the bottom, and last. */
  readonly tops: readonly { readonly to: State | undefined; readonly below: Stack }[]
}

/** All stacks of one parse. */
export class Stacks {
  readonly bottom: Stack = { id: 0, tops: [] }
  readonly #pushed = new Map<number, Stack>()
  readonly #known = new Map<string, Stack>()
  readonly #merged = new Map<number, Stack>()
  readonly #mergedWithWildcard = new Map<number, Stack>()
  #ids = 1

  push(below: Stack, to: State): Stack {
    const key = pair(to.id, below.id)
    const known = this.#pushed.get(key)
    if (known !== undefined) return known
    const stack = { id: this.#ids++, tops: [{ to, below }] }
    this.#pushed.set(key, stack)
    return stack
  }

  /** Both ways. With `wildcard` the bottom stands for everything. */
  merge(a: Stack, b: Stack, wildcard: boolean): Stack {
    if (a === b) return a
    if (wildcard && (a === this.bottom || b === this.bottom)) return this.bottom
    const memo = wildcard ? this.#mergedWithWildcard : this.#merged
    const key = pair(Math.min(a.id, b.id), Math.max(a.id, b.id))
    const known = memo.get(key)
    if (known !== undefined) return known
    const tops = new Map(this.#topsOf(a).map((top) => [top.to, top.below]))
    for (const { to, below } of this.#topsOf(b)) {
      const other = tops.get(to)
      tops.set(to, other === undefined ? below : this.merge(other, below, wildcard))
    }
    const merged = this.#of([...tops].map(([to, below]) => ({ to, below })))
    memo.set(key, merged)
    return merged
  }

  #topsOf(stack: Stack): Stack['tops'] {
    return stack === this.bottom ? [{ to: undefined, below: stack }] : stack.tops
  }

  #of(tops: Stack['tops']): Stack {
    const [top] = tops
    if (tops.length === 1 && top?.to !== undefined) return this.push(top.below, top.to)
    const rank = (to: State | undefined): number => to?.id ?? Number.POSITIVE_INFINITY
    const sorted = tops.toSorted((a, b) => rank(a.to) - rank(b.to))
    const key = sorted.map(({ to, below }) => `${to?.id ?? ''}:${below.id}`).join(' ')
    let stack = this.#known.get(key)
    if (stack === undefined) {
      stack = { id: this.#ids++, tops: sorted }
      this.#known.set(key, stack)
    }
    return stack
  }
}

/** One number for two of which each is below 2²⁶. */
const pair = (a: number, b: number): number => a * 2 ** 26 + b

/** A state that an alternative may be in. */
interface Config {
  readonly state: State
  readonly alternative: number
  stack: Stack
  /** Whether it came past the end of the rule that decides, without knowing who called it. */
  outside: boolean
}

/** States of all alternatives after the same tokens. */
class Configs {
  readonly all: Config[] = []
  readonly #byKey = new Map<number, Config>()
  readonly #stacks: Stacks
  readonly full: boolean

  constructor(stacks: Stacks, full: boolean) {
    this.#stacks = stacks
    this.full = full
  }

  add(config: Config): void {
    const key = config.state.id * 8 + config.alternative
    const known = this.#byKey.get(key)
    if (known === undefined) {
      const copy = { ...config }
      this.#byKey.set(key, copy)
      this.all.push(copy)
      return
    }
    known.stack = this.#stacks.merge(known.stack, config.stack, !this.full)
    known.outside ||= config.outside
  }
}

/** What is known after some tokens of an SLL prediction. */
interface Step {
  readonly configs: Configs
  readonly decided: number | undefined
  readonly conflict: boolean
  readonly next: Map<Kind, Step | 'dead'>
}

/** The alternative (from 0), or the token at which none was left. */
export type Prediction = { readonly alternative: number } | { readonly stuckAt: Token }

/**
 * Tokens that predictions within parentheses may look at in one text. Each parenthesis looks up to its end, so the work grows with the square
 * of the nesting: some forty levels are within it.
 */
const lookaheadOfGroups = 5000

/** Predictions of one parse; what it learns it keeps as long as the parse. */
export class Predictor {
  readonly #stacks: Stacks
  readonly #first = new Map<State, Step>()
  #lookaheadLeft = lookaheadOfGroups

  constructor(stacks: Stacks) {
    this.#stacks = stacks
  }

  /** `ahead(i)` is the token `i` places ahead, `stack` whoever called the rule of `decision`. */
  predict(decision: State, ahead: (i: number) => Token, stack: Stack): Prediction {
    const inGroup = decision.rule === 'group' || decision.rule === 'groupWithoutDirect'
    if (!inGroup) return this.#predict(decision, ahead, stack, Number.POSITIVE_INFINITY)
    let looked = 0
    const counted = (i: number): Token => {
      looked++
      return ahead(i)
    }
    // The first alternative there takes all that the second does: where one does not look, only an error may be told elsewhere.
    const prediction = this.#predict(decision, counted, stack, this.#lookaheadLeft)
    this.#lookaheadLeft -= looked
    return prediction
  }

  /** Takes the first alternative when `limit` tokens do not decide. */
  #predict(decision: State, ahead: (i: number) => Token, stack: Stack, limit: number): Prediction {
    let step = this.#first.get(decision)
    if (step === undefined) {
      const configs = this.#start(decision, this.#stacks.bottom, false)
      step = { configs, decided: undefined, conflict: false, next: new Map() }
      this.#first.set(decision, step)
    }
    for (let i = 0; i < limit; ) {
      const token = ahead(i)
      const next = this.#next(step, token.kind)
      if (next === 'dead') return this.#stuck(step.configs, token)
      if (next.conflict) return this.#predictFully(decision, ahead, stack, limit)
      if (next.decided !== undefined) return { alternative: next.decided }
      step = next
      if (token.kind !== endOfFile) i++
    }
    return { alternative: 0 }
  }

  #next(step: Step, kind: Kind): Step | 'dead' {
    const known = step.next.get(kind)
    if (known !== undefined) return known
    const configs = this.#reach(step.configs, kind)
    let next: Step | 'dead' = 'dead'
    if (configs !== undefined) {
      const decided = onlyAlternative(configs.all)
      next = { configs, decided, conflict: decided === undefined && isConflict(configs.all), next: new Map() }
    }
    step.next.set(kind, next)
    return next
  }

  #predictFully(decision: State, ahead: (i: number) => Token, stack: Stack, limit: number): Prediction {
    let configs = this.#start(decision, stack, true)
    for (let i = 0; i < limit; ) {
      const token = ahead(i)
      const reached = this.#reach(configs, token.kind)
      if (reached === undefined) return this.#stuck(configs, token)
      const decided = onlyAlternative(reached.all) ?? onlyViable(reached.all)
      if (decided !== undefined) return { alternative: decided }
      configs = reached
      if (token.kind !== endOfFile) i++
    }
    return { alternative: 0 }
  }

  /** An alternative that came to the end of the rule is taken all the same: the error is then reported behind it. */
  #stuck(configs: Configs, token: Token): Prediction {
    const ended = configs.all.filter(
      ({ state, stack, outside }) =>
        outside ||
        (state.kind === 'stop' &&
          (stack === this.#stacks.bottom || stack.tops.some(({ to }) => to === undefined))),
    )
    if (ended.length === 0) return { stuckAt: token }
    return { alternative: Math.min(...ended.map(({ alternative }) => alternative)) }
  }

  #start(decision: State, stack: Stack, full: boolean): Configs {
    const configs = new Configs(this.#stacks, full)
    decision.edges.forEach(({ to }, alternative) => {
      this.#close({ state: to, alternative, stack, outside: false }, configs, new Set(), false)
    })
    return configs
  }

  /** Where the alternatives are after a token of that kind; undefined when nowhere. */
  #reach(from: Configs, kind: Kind): Configs | undefined {
    const taken = new Configs(this.#stacks, from.full)
    const atEnd: Config[] = []
    for (const config of from.all) {
      if (config.state.kind === 'stop') {
        if (from.full || kind === endOfFile) atEnd.push(config)
        continue
      }
      for (const edge of config.state.edges) {
        if (edge.on === 'tokens' && edge.kinds.has(kind)) taken.add({ ...config, state: edge.to })
      }
    }
    let reached = taken
    const closed = atEnd.length > 0 || kind === endOfFile || onlyAlternative(taken.all) === undefined
    if (closed) {
      reached = new Configs(this.#stacks, from.full)
      const seen = new Set<number>()
      for (const config of taken.all) this.#close(config, reached, seen, kind === endOfFile)
    }
    if (kind === endOfFile) {
      const ended = new Configs(this.#stacks, from.full)
      for (const config of reached.all) if (config.state.kind === 'stop') ended.add(config)
      reached = ended
    }
    if (atEnd.length > 0 && !(from.full && reached.all.some(({ state }) => state.kind === 'stop'))) {
      for (const config of atEnd) reached.add(config)
    }
    return reached.all.length > 0 ? reached : undefined
  }

  /** Adds to `configs` all that can be reached from `config` without a token. */
  #close(config: Config, configs: Configs, seen: Set<number>, atEndOfFile: boolean): void {
    const { state, stack } = config
    let follows = true
    if (state.kind === 'stop' && stack !== this.#stacks.bottom) {
      follows = false
      for (const { to, below } of stack.tops) {
        if (to !== undefined) this.#close({ ...config, state: to, stack: below }, configs, seen, atEndOfFile)
        else if (configs.full) configs.add({ ...config, stack: this.#stacks.bottom })
        else follows = true
      }
    } else if (state.kind === 'stop' && configs.full) {
      configs.add(config)
      follows = false
    }
    if (!follows) return
    if (state.edges.length === 0 || state.edges.some(({ on }) => on === 'tokens')) configs.add(config)
    for (const edge of state.edges) {
      if (edge.on === 'rule') {
        const next = { ...config, state: edge.to, stack: this.#stacks.push(stack, edge.follow) }
        this.#close(next, configs, seen, atEndOfFile)
      } else if (edge.on === 'nothing' || (atEndOfFile && edge.kinds.has(endOfFile))) {
        const next = { ...config, state: edge.to, outside: config.outside || state.kind === 'stop' }
        if (state.kind === 'stop' || edge.on === 'tokens') {
          const key = pair(next.state.id * 8 + next.alternative, next.stack.id)
          if (seen.has(key)) continue
          seen.add(key)
        }
        this.#close(next, configs, seen, atEndOfFile)
      }
    }
  }
}

/** The alternative that all are of. */
function onlyAlternative(configs: readonly Config[]): number | undefined {
  const alternative = configs[0]?.alternative
  return configs.every((config) => config.alternative === alternative) ? alternative : undefined
}

/** The alternatives that are in the same place, for each place. */
function alternativesBy(
  placeOf: (config: Config) => number,
  configs: readonly Config[],
): readonly Set<number>[] {
  const places = new Map<number, Set<number>>()
  for (const config of configs) {
    const place = placeOf(config)
    const found = places.get(place)
    if (found === undefined) places.set(place, new Set([config.alternative]))
    else found.add(config.alternative)
  }
  return [...places.values()]
}

const stateOf = ({ state }: Config): number => state.id
const stateAndStackOf = ({ state, stack }: Config): number => pair(state.id, stack.id)

/** Whether more tokens cannot tell the alternatives apart, as far as one can know without the stack. */
function isConflict(configs: readonly Config[]): boolean {
  if (configs.every(({ state }) => state.kind === 'stop')) return true
  const shared = alternativesBy(stateAndStackOf, configs).some(({ size }) => size > 1)
  return shared && alternativesBy(stateOf, configs).every(({ size }) => size > 1)
}

/** The alternative that is the first one in every place: more tokens would not change it. */
function onlyViable(configs: readonly Config[]): number | undefined {
  const firsts = new Set(alternativesBy(stateAndStackOf, configs).map((found) => Math.min(...found)))
  const [first] = firsts
  return firsts.size === 1 ? first : undefined
}
