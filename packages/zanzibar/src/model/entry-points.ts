import type { RelationReference, Userset } from './authorization-model.ts'

/** A relation as a model defines it. */
export interface DefinedRelation {
  readonly rewrite: Userset
  readonly restrictions: readonly RelationReference[]
}

/** The relations of a model, by type and name. */
export type DefinedTypes = ReadonlyMap<string, ReadonlyMap<string, DefinedRelation>>

/** Whether a relation can have a user at all; where not, whether it only leads back to itself. */
export type EntryPoints = 'some' | 'none' | 'loop'

/** By type: what was visited, and whether it is known to have an entry point. */
type Visited = Map<string, Map<string, boolean>>

const maxSteps = 100_000
const maxDepth = 400

/**
 * Whether some tuples could give somebody a relation, as `openfga/openfga:pkg/typesystem/typesystem.go` (hasEntrypoints) finds
 * out. That search remembers what it has visited across the operands of nested rewrites, so it also refuses some models in which
 * a relation is met twice; it is followed in that. Where it would take too long, what is true without it is the answer.
 */
export class EntryPointSearch {
  readonly #types: DefinedTypes
  /** Of all that is asked of one model. */
  #steps = 0
  #depth = 0
  #isExhausted = false
  #reachable: ReadonlySet<string> | undefined

  constructor(types: DefinedTypes) {
    this.#types = types
  }

  /** @throws Error with OpenFGA's words for a reference that leads nowhere, or an operator with one operand */
  find(type: string, name: string): EntryPoints {
    this.#isExhausted = this.#steps > maxSteps
    const found = this.#relation(type, name, new Map())
    if (!this.#isExhausted) return found
    this.#reachable ??= relationsWithEntryPoints(this.#types)
    return this.#reachable.has(`${type}#${name}`) ? 'some' : 'none'
  }

  #relation(type: string, name: string, visited: Visited): EntryPoints {
    return this.#rewrite(type, name, this.#relationOf(type, name).rewrite, visited)
  }

  #rewrite(type: string, name: string, rewrite: Userset, before: Visited): EntryPoints {
    if (++this.#steps > maxSteps || this.#depth > maxDepth) this.#isExhausted = true
    if (this.#isExhausted) return 'none'
    this.#depth++
    try {
      return this.#step(type, name, rewrite, before)
    } finally {
      this.#depth--
    }
  }

  #step(type: string, name: string, rewrite: Userset, before: Visited): EntryPoints {
    // The relations of a type that was visited before are shared with everything that goes on from there.
    const visited = new Map(before)
    const ofType = visited.get(type)
    if (ofType === undefined) visited.set(type, new Map([[name, false]]))
    else ofType.set(name, false)

    if ('this' in rewrite) return this.#direct(type, name, visited)
    if ('computedUserset' in rewrite) {
      const { relation } = rewrite.computedUserset
      this.#relationOf(type, relation)
      const known = visited.get(type)?.get(relation)
      if (known !== undefined) return known ? 'some' : 'loop'
      return this.#relation(type, relation, visited)
    }
    if ('tupleToUserset' in rewrite) {
      const { tupleset, computedUserset } = rewrite.tupleToUserset
      return this.#from(type, tupleset.relation, computedUserset.relation, visited)
    }
    if ('union' in rewrite) return this.#union(type, name, rewrite.union.child, before)
    if ('intersection' in rewrite) {
      const { child } = rewrite.intersection
      if (child.length < 2) throw tooFew(type, name, 'intersection')
      return this.#all(type, name, child, before)
    }
    const { base, subtract } = rewrite.difference
    return this.#all(type, name, [base, subtract], before)
  }

  #direct(type: string, name: string, visited: Visited): EntryPoints {
    for (const { type: user, relation, wildcard } of this.#relationOf(type, name).restrictions) {
      if (relation === undefined || wildcard !== undefined) {
        visited.get(type)?.set(name, true)
        return 'some'
      }
      this.#relationOf(user, relation)
      if (visited.get(user)?.has(relation) === true) continue
      if (this.#relation(user, relation, visited) === 'some') return 'some'
    }
    return 'none'
  }

  #from(type: string, tupleset: string, computed: string, visited: Visited): EntryPoints {
    for (const { type: parent } of this.#relationOf(type, tupleset).restrictions) {
      if (this.#types.get(parent)?.has(computed) !== true) continue
      const known = visited.get(parent)?.get(computed)
      if (known ?? this.#relation(parent, computed, visited) === 'some') return 'some'
    }
    return 'none'
  }

  #union(type: string, name: string, operands: readonly Userset[], visited: Visited): EntryPoints {
    if (operands.length < 2) throw tooFew(type, name, 'union')
    let answer: EntryPoints = 'none'
    for (const operand of operands) {
      const found = this.#rewrite(type, name, operand, visited)
      if (found === 'some') return 'some'
      if (found === 'loop') answer = 'loop'
    }
    return answer
  }

  #all(type: string, name: string, operands: readonly Userset[], visited: Visited): EntryPoints {
    for (const operand of operands) {
      const found = this.#rewrite(type, name, operand, visited)
      if (found !== 'some') return found
    }
    return 'some'
  }

  #relationOf(type: string, name: string): DefinedRelation {
    const relation = this.#types.get(type)?.get(name)
    if (relation === undefined) throw new Error(`undefined type definition for '${type}#${name}'`)
    return relation
  }
}

function tooFew(type: string, name: string, operator: string): Error {
  return new Error(`invalid relation: '${type}#${name}' as ${operator} has less than 2 children`)
}

/** `type#relation` of all that some tuples could give somebody: the least fixed point. */
function relationsWithEntryPoints(types: DefinedTypes): ReadonlySet<string> {
  const some = new Set<string>()
  const usedBy = new Map<string, Set<string>>()
  const open: string[] = []
  let asking = ''
  const isReachable = (type: string, name: string): boolean => {
    const key = `${type}#${name}`
    const users = usedBy.get(key) ?? new Set()
    usedBy.set(key, users.add(asking))
    return some.has(key)
  }
  const has = (type: string, restrictions: DefinedRelation['restrictions'], rewrite: Userset): boolean => {
    if ('this' in rewrite) {
      return restrictions.some(
        (user) =>
          user.relation === undefined || user.wildcard !== undefined || isReachable(user.type, user.relation),
      )
    }
    if ('computedUserset' in rewrite) return isReachable(type, rewrite.computedUserset.relation)
    if ('tupleToUserset' in rewrite) {
      const { tupleset, computedUserset } = rewrite.tupleToUserset
      const parents = types.get(type)?.get(tupleset.relation)?.restrictions ?? []
      return parents.some((parent) => isReachable(parent.type, computedUserset.relation))
    }
    const among = (operand: Userset): boolean => has(type, restrictions, operand)
    if ('union' in rewrite) return rewrite.union.child.some(among)
    if ('intersection' in rewrite) return rewrite.intersection.child.every(among)
    return among(rewrite.difference.base) && among(rewrite.difference.subtract)
  }
  for (const [type, relations] of types) for (const name of relations.keys()) open.push(`${type}#${name}`)
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (some.has(key)) continue
    // Types and relations have no '#'.
    const [type = '', name = ''] = key.split('#')
    const relation = types.get(type)?.get(name)
    asking = key
    if (relation === undefined || !has(type, relation.restrictions, relation.rewrite)) continue
    some.add(key)
    open.push(...(usedBy.get(key) ?? []))
  }
  return some
}
