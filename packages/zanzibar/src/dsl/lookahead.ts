import { type Edge, grammar, type RuleName, type State } from './grammar.ts'
import { type Kind, nothing } from './tokens.ts'

const firstOf: (ReadonlySet<Kind> | undefined)[] = []

/** What may come at a state up to the end of its rule; holds `nothing` where that end can be reached without a token. */
export function firstKinds(state: State): ReadonlySet<Kind> {
  const known = firstOf[state.id]
  if (known !== undefined) return known
  const kinds = new Set<Kind>()
  const seen = new Set<State>()
  const open = [state]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue
    seen.add(at)
    if (at.kind === 'stop') {
      kinds.add(nothing)
      continue
    }
    for (const edge of at.edges) {
      if (edge.on === 'tokens') for (const kind of edge.kinds) kinds.add(kind)
      else if (edge.on === 'nothing') open.push(edge.to)
      else {
        // No rule begins with itself, so this ends.
        const first = firstKinds(edge.to)
        for (const kind of first) if (kind !== nothing) kinds.add(kind)
        if (first.has(nothing)) open.push(edge.follow)
      }
    }
  }
  firstOf[state.id] = kinds
  return kinds
}

/** What may come behind an edge, also behind the end of the rule wherever it may be used. */
function lookahead(edge: Edge, follow: ReadonlyMap<RuleName, ReadonlySet<Kind>>): ReadonlySet<Kind> {
  const first = firstKinds(edge.to)
  if (!first.has(nothing)) return first
  const kinds = new Set([...first, ...(follow.get(edge.to.rule) ?? [])])
  kinds.delete(nothing)
  return kinds
}

/** What may follow each rule, wherever it is used. */
function followKinds(): ReadonlyMap<RuleName, ReadonlySet<Kind>> {
  const follow = new Map<RuleName, Set<Kind>>()
  const add = (rule: RuleName, kinds: Iterable<Kind>): boolean => {
    const known = follow.get(rule) ?? new Set()
    follow.set(rule, known)
    const before = known.size
    for (const kind of kinds) if (kind !== nothing) known.add(kind)
    return known.size > before
  }
  let grown = true
  while (grown) {
    grown = false
    for (const state of grammar().states) {
      for (const edge of state.edges) {
        if (edge.on !== 'rule') continue
        const first = firstKinds(edge.follow)
        if (add(edge.rule, first)) grown = true
        if (first.has(nothing) && add(edge.rule, follow.get(state.rule) ?? [])) grown = true
      }
    }
  }
  return follow
}

let followed: ReadonlyMap<RuleName, ReadonlySet<Kind>> | undefined
/** By state; `several` where one token does not decide. */
const decisions: (readonly ReadonlySet<Kind>[] | 'several' | undefined)[] = []

/** The tokens of each edge of a decision that one token decides; undefined for the others. */
export function oneTokenDecision(state: State): readonly ReadonlySet<Kind>[] | undefined {
  const decision = (decisions[state.id] ??= decided(state) ?? 'several')
  return decision === 'several' ? undefined : decision
}

function decided(state: State): readonly ReadonlySet<Kind>[] | undefined {
  if (state.edges.length < 2 || state.kind === 'stop') return undefined
  followed ??= followKinds()
  const follow = followed
  const looks = state.edges.map((edge) => lookahead(edge, follow))
  const all = looks.flatMap((look) => [...look])
  return new Set(all).size === all.length && looks.every((look) => look.size > 0) ? looks : undefined
}
