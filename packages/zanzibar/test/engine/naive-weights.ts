import { compileCondition } from '../../src/condition/condition.ts'
import { isWeighted } from '../../src/graph/weighted.ts'
import type { AuthorizationModel, Userset } from '../../src/model/authorization-model.ts'
import { typeSystem } from '../../src/model/type-system.ts'

interface Weighed {
  readonly breadthFirst: ReadonlySet<string>
  readonly readAlone: ReadonlySet<string>
}

const nothing: Weighed = { breadthFirst: new Set(), readAlone: new Set() }
const known = new WeakMap<AuthorizationModel, Map<string, Weighed>>()

/**
 * The relations, as `type#relation`, of which v1 of OpenFGA notices no cycle for users of a type: that lead to themselves alone
 * by one edge of its weighted graph, every other edge having a weight of 1 for that type, or none.
 */
export function breadthFirst(model: AuthorizationModel, userType: string): ReadonlySet<string> {
  return weighed(model, userType).breadthFirst
}

/**
 * The usersets, as `type#relation@type#relation`, that v1 of OpenFGA reads each on its own for users of a type: of a relation
 * that does not lead back to itself, those with a weight of 1 for that type.
 */
export function readAlone(model: AuthorizationModel, userType: string): ReadonlySet<string> {
  return weighed(model, userType).readAlone
}

function weighed(model: AuthorizationModel, userType: string): Weighed {
  const ofModel = known.get(model) ?? new Map<string, Weighed>()
  known.set(model, ofModel)
  const found =
    ofModel.get(userType) ??
    (isWeighted(typeSystem(model, compileCondition)) ? find(model, userType) : nothing)
  ofModel.set(userType, found)
  return found
}

type Edge = { readonly to: string; readonly weight: number }

function find(model: AuthorizationModel, userType: string): Weighed {
  const rewrites = new Map<string, Userset>()
  for (const { type, relations } of model.type_definitions)
    for (const [name, rewrite] of Object.entries(relations ?? {})) rewrites.set(`${type}#${name}`, rewrite)
  const restrictions = (type: string, relation: string) =>
    model.type_definitions.find((each) => each.type === type)?.metadata?.relations?.[relation]
      ?.directly_related_user_types ?? []

  /** What a leaf leads to: a type of users as itself, and relations. */
  const targets = (leaf: Userset, of: string): readonly string[] => {
    const [type = '', relation = ''] = of.split('#')
    if ('computedUserset' in leaf) return [`${type}#${leaf.computedUserset.relation}`]
    if ('tupleToUserset' in leaf) {
      const { tupleset, computedUserset } = leaf.tupleToUserset
      return restrictions(type, tupleset.relation)
        .map((each) => `${each.type}#${computedUserset.relation}`)
        .filter((each) => rewrites.has(each))
    }
    return restrictions(type, relation).map((each) =>
      each.relation ? `${each.type}#${each.relation}` : each.type,
    )
  }

  /** The relations that have users of the type at all. */
  const having = new Set<string>()
  const has = (part: Userset, of: string): boolean => {
    if ('union' in part) return part.union.child.some((child) => has(child, of))
    if ('intersection' in part) return part.intersection.child.every((child) => has(child, of))
    if ('difference' in part) return has(part.difference.base, of)
    return targets(part, of).some((to) => to === userType || having.has(to))
  }
  for (let size = -1; size !== having.size; ) {
    size = having.size
    for (const [name, rewrite] of rewrites) if (has(rewrite, name)) having.add(name)
  }

  const weight = (part: Userset, of: string, path: readonly string[]): number => {
    if (!has(part, of)) return 0
    const parts =
      'union' in part
        ? part.union.child
        : 'intersection' in part
          ? part.intersection.child
          : 'difference' in part
            ? [part.difference.base, part.difference.subtract]
            : undefined
    if (parts !== undefined) return Math.max(...parts.map((each) => weight(each, of, path)))
    const isComputed = 'computedUserset' in part
    return Math.max(
      ...targets(part, of).map((to) => {
        if (to === userType) return 1
        const below = weightOf(to, path)
        return below === 0 ? 0 : below + (isComputed ? 0 : 1)
      }),
    )
  }
  const weightOf = (name: string, path: readonly string[]): number => {
    const rewrite = rewrites.get(name)
    if (rewrite === undefined || !having.has(name)) return 0
    return path.includes(name) ? Number.POSITIVE_INFINITY : weight(rewrite, name, [...path, name])
  }

  /** All that is below a relation. */
  const below = (start: string): ReadonlySet<string> => {
    const found = new Set<string>()
    const walk = (part: Userset, of: string): void => {
      if ('union' in part) part.union.child.forEach((child) => walk(child, of))
      else if ('intersection' in part) part.intersection.child.forEach((child) => walk(child, of))
      else if ('difference' in part)
        [part.difference.base, part.difference.subtract].forEach((each) => walk(each, of))
      else
        for (const to of targets(part, of)) {
          const rewrite = rewrites.get(to)
          if (rewrite === undefined || found.has(to)) continue
          found.add(to)
          walk(rewrite, to)
        }
    }
    const rewrite = rewrites.get(start)
    if (rewrite !== undefined) walk(rewrite, start)
    return found
  }

  /** The edges out of a relation through its unions. */
  const edges = (part: Userset, of: string): readonly Edge[] => {
    if ('union' in part) {
      const merged = new Map<string, Userset>()
      part.union.child.forEach((child, at) => {
        const isMerged =
          'tupleToUserset' in child &&
          restrictions(of.split('#')[0] ?? '', child.tupleToUserset.tupleset.relation).length === 1
        merged.set(isMerged ? JSON.stringify(child) : String(at), child)
      })
      return [...merged.values()].flatMap((child) => edges(child, of))
    }
    if ('intersection' in part || 'difference' in part) return [{ to: '', weight: weight(part, of, []) }]
    return [...new Set(targets(part, of))].map((to) => {
      if (to === userType) return { to, weight: 1 }
      const inner = weightOf(to, [])
      return { to, weight: 'computedUserset' in part || inner === 0 ? inner : inner + 1 }
    })
  }

  const found = new Set<string>()
  for (const [name, rewrite] of rewrites) {
    const own = below(name)
    if (!having.has(name) || !own.has(name)) continue
    if ([...own].some((each) => each !== name && below(each).has(name))) continue
    const out = edges(rewrite, name)
    const back = out.filter(({ to }) => to === name)
    const others = out.filter(({ to }) => to !== name)
    if (back.length === 1 && others.every(({ weight: each }) => each <= 1)) found.add(name)
  }

  const alone = new Set<string>()
  for (const name of rewrites.keys()) {
    const [type = '', relation = ''] = name.split('#')
    if (below(name).has(name)) continue
    for (const each of restrictions(type, relation)) {
      const userset = `${each.type}#${each.relation}`
      if (each.relation && weightOf(userset, []) === 1) alone.add(`${name}@${userset}`)
    }
  }
  return { breadthFirst: found, readAlone: alone }
}
