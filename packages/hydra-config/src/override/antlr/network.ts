import type { TokenType } from '../lexer.ts'
import { overrideGrammar, type Part, type RuleName } from './grammar.ts'

/** A state of ANTLR's transition network. */
export interface State {
  readonly rule: RuleName
  /** The end of its rule: what follows depends on who called it. */
  readonly isStop: boolean
  readonly edges: Edge[]
}

type Edge =
  | { readonly kind: 'free'; readonly to: State }
  | { readonly kind: 'token'; readonly types: ReadonlySet<TokenType>; readonly to: State }
  /** Through the rule that begins at `to`, and on at `back`. */
  | { readonly kind: 'rule'; readonly to: State; readonly back: State }

/** A part of a rule with the states that its parser is in. */
export interface Step {
  readonly part: Part
  /** Where it begins to read, or to decide. */
  readonly state: State
  /** Where it decides whether to repeat. */
  readonly again: State
  readonly steps: readonly Step[]
}

interface Rule {
  readonly start: State
  readonly stop: State
  readonly step: Step
}

/** The tokens that may come, `end` where the rule may end before any. */
export type Expected = ReadonlySet<TokenType | 'end'>

const rules = new Map<RuleName, { start: State; stop: State; step?: Step }>()
/** Where parsing goes on behind a rule, by its name. */
const followers = new Map<RuleName, State[]>()

for (const name of Object.keys(overrideGrammar) as RuleName[]) {
  rules.set(name, { start: stateOf(name), stop: stateOf(name, true) })
}
for (const [name, made] of rules) {
  made.step = stepOf(name, overrideGrammar[name], made.stop)
  made.start.edges.push({ kind: 'free', to: made.step.state })
}

export function ruleOf(name: RuleName): Rule {
  const found = rules.get(name)
  if (found?.step === undefined) throw new TypeError(`there is no rule ${name}`)
  return { ...found, step: found.step }
}

/** Where parsing may go on behind a rule, whoever called it. */
export function followersOf(name: RuleName): readonly State[] {
  return followers.get(name) ?? []
}

function stateOf(rule: RuleName, isStop = false): State {
  return { rule, isStop, edges: [] }
}

/** Its states lead to `next`. */
function stepOf(rule: RuleName, part: Part, next: State): Step {
  const state = stateOf(rule)
  if (part.op === 'token') {
    state.edges.push({ kind: 'token', types: part.types, to: next })
    return { part, state, again: state, steps: [] }
  }
  if (part.op === 'rule') {
    const { start } = rules.get(part.name) ?? { start: state }
    state.edges.push({ kind: 'rule', to: start, back: next })
    followers.set(part.name, [...(followers.get(part.name) ?? []), next])
    return { part, state, again: state, steps: [] }
  }
  if (part.op === 'sequence') {
    const steps: Step[] = []
    for (const each of part.parts.toReversed()) steps.unshift(stepOf(rule, each, steps[0]?.state ?? next))
    state.edges.push({ kind: 'free', to: steps[0]?.state ?? next })
    return { part, state, again: state, steps }
  }
  const again = part.op === 'star' || part.op === 'plus' ? stateOf(rule) : state
  const steps = part.parts.map((each) => stepOf(rule, each, again === state ? next : again))
  for (const step of steps) state.edges.push({ kind: 'free', to: step.state })
  if (part.op === 'optional' || part.op === 'star') state.edges.push({ kind: 'free', to: next })
  if (part.op === 'star') again.edges.push({ kind: 'free', to: state })
  if (part.op === 'plus') again.edges.push({ kind: 'free', to: state }, { kind: 'free', to: next })
  return { part, state, again, steps }
}

const known = new Map<State, Expected>()

/** What may come at a state, as far as its rule tells. */
export function expectedAt(state: State): Expected {
  const before = known.get(state)
  if (before !== undefined) return before
  const expected = new Set<TokenType | 'end'>()
  const seen = new Set<State>()
  const visit = (at: State): void => {
    if (seen.has(at)) return
    seen.add(at)
    if (at.isStop) expected.add('end')
    for (const edge of at.edges) {
      if (edge.kind === 'free') visit(edge.to)
      else if (edge.kind === 'token') for (const type of edge.types) expected.add(type)
      else {
        const inner = expectedAt(edge.to)
        for (const type of inner) if (type !== 'end') expected.add(type)
        if (inner.has('end')) visit(edge.back)
      }
    }
  }
  visit(state)
  known.set(state, expected)
  return expected
}
