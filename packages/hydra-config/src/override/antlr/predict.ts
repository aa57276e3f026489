import type { TokenType } from '../lexer.ts'
import { followersOf, type State, type Step } from './network.ts'

/** Where one of the alternatives may be: in `state`, called from the states that are linked. */
interface Thread {
  readonly state: State
  readonly alternative: number
  readonly back: Linked | undefined
  /** Whether it has left the rule that decides. */
  readonly left: boolean
}

interface Linked {
  readonly state: State
  readonly next: Linked | undefined
}

/** Which alternative ANTLR takes, or how many tokens on it finds none. */
export type Prediction = { readonly alternative: number } | { readonly dead: number }

/**
 * ANTLR's adaptive prediction: follows all alternatives at once, whoever called the rule, until one is left.
 * @param typeAt the token so many behind the next one
 */
export function predict(step: Step, typeAt: (ahead: number) => TokenType): Prediction {
  let threads: readonly Thread[] = closed(
    step.state.edges.map(({ to: state }, alternative) => ({
      state,
      alternative,
      back: undefined,
      left: false,
    })),
  )
  for (let ahead = 0; ; ahead++) {
    const type = typeAt(ahead)
    const reached = closed(
      threads.flatMap((thread) =>
        thread.state.edges.flatMap((edge) =>
          edge.kind === 'token' && edge.types.has(type) ? [{ ...thread, state: edge.to }] : [],
        ),
      ),
    )
    const [first] = reached
    if (first === undefined) {
      const ended = threads.filter(({ left, state, back }) => left || (state.isStop && back === undefined))
      if (ended.length === 0) return { dead: ahead }
      return { alternative: Math.min(...ended.map(({ alternative }) => alternative)) }
    }
    if (reached.every(({ alternative }) => alternative === first.alternative) || type === 'EOF') {
      return { alternative: Math.min(...reached.map(({ alternative }) => alternative)) }
    }
    threads = reached
  }
}

/** With all that is reached without a token; states that only lead on are left out. */
function closed(threads: readonly Thread[]): readonly Thread[] {
  const found: Thread[] = []
  const seen = new Map<State, Thread[]>()
  const open = [...threads]
  for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
    const { state, alternative, back, left } = thread
    const same = seen.get(state) ?? []
    if (same.some((each) => each.alternative === alternative && each.back === back && each.left === left))
      continue
    seen.set(state, [...same, thread])
    if (state.isStop) {
      if (back !== undefined) open.push({ ...thread, state: back.state, back: back.next })
      const ways = back === undefined ? followersOf(state.rule) : []
      for (const to of ways) open.push({ ...thread, state: to, left: true })
      if (back === undefined && ways.length === 0) found.push(thread)
      continue
    }
    if (state.edges.some(({ kind }) => kind === 'token')) found.push(thread)
    for (const edge of state.edges) {
      if (edge.kind === 'free') open.push({ ...thread, state: edge.to })
      if (edge.kind === 'rule')
        open.push({ ...thread, state: edge.to, back: { state: edge.back, next: back } })
    }
  }
  return found
}
