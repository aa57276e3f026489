import type { AuthorizationModel, RelationReference, TypeDefinition, Userset } from './authorization-model.ts'
import { foldRewrite, leavesOf } from './fold-rewrite.ts'

/** Why nobody can have a relation: it only leads back to itself by computed relations, or nothing leads to it. */
export type Impossible = 'loop' | 'no entrypoint'

/** The relations of a model that nobody can have, whatever the tuples, by type and name. References must be defined. */
export function impossibleRelations(
  model: AuthorizationModel,
): ReadonlyMap<string, ReadonlyMap<string, Impossible>> {
  const types = new Map(model.type_definitions.map((type) => [type.type, type]))
  const places = [...types.values()].flatMap((type) =>
    Object.entries(type.relations ?? {}).map(([relation, rewrite]) => ({ type, relation, rewrite })),
  )
  const possible = findPossible(types, places)
  const found = new Map<string, Map<string, Impossible>>()
  for (const type of types.values()) {
    const edges = new Map<string, readonly string[]>()
    for (const [relation, rewrite] of Object.entries(type.relations ?? {})) {
      if (!possible.has(keyOf(type.type, relation)))
        edges.set(relation, blockers(rewrite, possible, type, types, relation))
    }
    const looping = leadingIntoLoops(edges)
    found.set(
      type.type,
      new Map(
        [...edges.keys()].map((relation) => [relation, looping.has(relation) ? 'loop' : 'no entrypoint']),
      ),
    )
  }
  return found
}

interface Place {
  readonly type: TypeDefinition
  readonly relation: string
  readonly rewrite: Userset
}

type Types = ReadonlyMap<string, TypeDefinition>

// Neither may hold a `#`.
const keyOf = (type: string, relation: string): string => `${type}#${relation}`

/** The least fixpoint: what has a user by itself, then what gets one from that, and so on. */
function findPossible(types: Types, places: readonly Place[]): ReadonlySet<string> {
  const possible = new Set<string>()
  const dependents = new Map<string, Place[]>()
  for (const place of places) {
    for (const leaf of leavesOf(place.rewrite)) {
      for (const key of sourcesOf(leaf, place.type, types, place.relation)) {
        const known = dependents.get(key)
        if (known === undefined) dependents.set(key, [place])
        else known.push(place)
      }
    }
  }
  const open = [...places]
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { type, relation, rewrite } = place
    const key = keyOf(type.type, relation)
    if (possible.has(key)) continue
    const isPossible = foldRewrite<boolean>(rewrite, (at, operands) =>
      operands.length === 0 ? leafIsPossible(at, possible, type, types, relation) : holds(at, operands),
    )
    if (!isPossible) continue
    possible.add(key)
    open.push(...(dependents.get(key) ?? []))
  }
  return possible
}

const holds = (rewrite: Userset, operands: readonly boolean[]): boolean =>
  'union' in rewrite ? operands.includes(true) : !operands.includes(false)

function leafIsPossible(
  leaf: Userset,
  possible: ReadonlySet<string>,
  type: TypeDefinition,
  types: Types,
  relation: string,
): boolean {
  if ('this' in leaf && restrictionsOf(type, relation).some((each) => !each.relation || each.wildcard))
    return true
  return sourcesOf(leaf, type, types, relation).some((key) => possible.has(key))
}

/** The relations of which one suffices for a leaf to have a user. */
function sourcesOf(leaf: Userset, type: TypeDefinition, types: Types, relation: string): readonly string[] {
  if ('this' in leaf) {
    return restrictionsOf(type, relation).flatMap((each) =>
      each.relation ? [keyOf(each.type, each.relation)] : [],
    )
  }
  if ('computedUserset' in leaf) return [keyOf(type.type, leaf.computedUserset.relation)]
  if (!('tupleToUserset' in leaf)) return []
  const { tupleset, computedUserset } = leaf.tupleToUserset
  return restrictionsOf(type, tupleset.relation)
    .filter((each) => hasRelation(types.get(each.type), computedUserset.relation))
    .map((each) => keyOf(each.type, computedUserset.relation))
}

/** The type restrictions of a relation. */
export function restrictionsOf(type: TypeDefinition, relation: string): readonly RelationReference[] {
  const relations = type.metadata?.relations ?? {}
  return (Object.hasOwn(relations, relation) && relations[relation]?.directly_related_user_types) || []
}

/** Whether a type has a relation of its own of that name. */
export function hasRelation(type: TypeDefinition | undefined, relation: string): boolean {
  return Object.hasOwn(type?.relations ?? {}, relation)
}

/** The computed relations for which an impossible one waits: of what must all hold, only those of the first that does not. */
function blockers(
  rewrite: Userset,
  possible: ReadonlySet<string>,
  type: TypeDefinition,
  types: Types,
  relation: string,
): readonly string[] {
  interface Found {
    readonly isPossible: boolean
    readonly waitsFor: readonly string[]
  }
  return foldRewrite<Found>(rewrite, (at, operands) => {
    if (operands.length === 0) {
      const isPossible = leafIsPossible(at, possible, type, types, relation)
      return { isPossible, waitsFor: 'computedUserset' in at ? [at.computedUserset.relation] : [] }
    }
    const isPossible = holds(
      at,
      operands.map((operand) => operand.isPossible),
    )
    const waitsFor =
      'union' in at
        ? operands.flatMap((operand) => operand.waitsFor)
        : (operands.find((operand) => !operand.isPossible)?.waitsFor ?? [])
    return { isPossible, waitsFor }
  }).waitsFor
}

/** The nodes from which one gets into a cycle: those that remain when all are taken away that lead nowhere. */
function leadingIntoLoops(edges: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const left = new Map([...edges].map(([from, to]) => [from, to.filter((each) => edges.has(each)).length]))
  const sources = new Map<string, string[]>()
  for (const [from, to] of edges)
    for (const each of to) sources.set(each, [...(sources.get(each) ?? []), from])
  const open = [...left].filter(([, count]) => count === 0).map(([node]) => node)
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    left.delete(node)
    for (const source of sources.get(node) ?? []) {
      const count = (left.get(source) ?? 0) - 1
      left.set(source, count)
      if (count === 0) open.push(source)
    }
  }
  return new Set(left.keys())
}
