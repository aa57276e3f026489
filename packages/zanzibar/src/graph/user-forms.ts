import type { Relation, Rewrite, TypeSystem } from '../model/type-system.ts'

/**
 * The forms of users that a relation can lead to: `type`, `type:*` and `type#relation`. A userset is one where it may be
 * assigned; a relation that is computed, or of a parent, is none of its own. Where OpenFGA has a weighted graph, these
 * are what it has weights for (`openfga/language:pkg/go/graph/weighted_graph.go`).
 */
export class UserForms {
  readonly #of = new Map<Relation, Set<string>>()

  constructor({ relations }: TypeSystem) {
    for (const relation of relations) this.#of.set(relation, new Set())
    for (let isGrowing = true; isGrowing; ) {
      isGrowing = false
      for (const relation of relations) {
        const own = this.#of.get(relation)
        const before = own?.size
        for (const form of this.of(relation.rewrite, relation)) own?.add(form)
        if (own?.size !== before) isGrowing = true
      }
    }
  }

  ofRelation(relation: Relation): ReadonlySet<string> {
    return this.#of.get(relation) ?? none
  }

  /** Of a part of a relation's rewrite. */
  of(rewrite: Rewrite, relation: Relation): ReadonlySet<string> {
    switch (rewrite.kind) {
      case 'direct':
        return new Set([
          ...relation.restrictions.flatMap(({ type, relation: userset, wildcard }) =>
            userset ? [`${type}#${userset}`] : wildcard === undefined ? [type] : [type, `${type}:*`],
          ),
          ...relation.usersets.flatMap((each) => [...this.ofRelation(each)]),
        ])
      case 'computed':
        return this.ofRelation(rewrite.relation)
      case 'from':
        return new Set([...rewrite.computed.values()].flatMap((each) => [...this.ofRelation(each)]))
      case 'union':
        return new Set(rewrite.children.flatMap((child) => [...this.of(child, relation)]))
      case 'exclusion':
        return this.#ofExclusion(rewrite, relation)
      case 'intersection':
    }
    const [first = none, ...others] = rewrite.children.map((child) => this.of(child, relation))
    return new Set([...first].filter((form) => others.every((each) => each.has(form))))
  }

  /** Everyone may also stand on the far side alone. */
  #ofExclusion({ base, subtract }: Rewrite & { kind: 'exclusion' }, relation: Relation): ReadonlySet<string> {
    const forms = this.of(base, relation)
    const everyone = [...this.of(subtract, relation)].filter(
      (form) => form.endsWith(':*') && forms.has(form.slice(0, -2)),
    )
    return new Set([...forms, ...everyone])
  }
}

const none: ReadonlySet<string> = new Set()

const known = new WeakMap<TypeSystem, UserForms>()

/** Those of a model, kept with it. */
export function userFormsOf(types: TypeSystem): UserForms {
  let forms = known.get(types)
  if (forms === undefined) {
    forms = new UserForms(types)
    known.set(types, forms)
  }
  return forms
}
