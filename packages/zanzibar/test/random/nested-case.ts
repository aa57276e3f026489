import fc from 'fast-check'
import type { AuthorizationModel, RelationReference, Userset } from '../../src/model/authorization-model.ts'
import { type RandomCase, randomModel, randomTuples, relationNames } from './random-model.ts'

// What `randomCase` does not draw: operators deep in each other, two tuplesets, parents that lack the relation, everyone of two
// types on one relation.

const relation = fc.constantFrom(...relationNames)
const along = (tupleset: string): fc.Arbitrary<Userset> =>
  relation.map((name) => ({
    tupleToUserset: { tupleset: { relation: tupleset }, computedUserset: { relation: name } },
  }))
const leaf = fc.oneof(
  relation.map((name): Userset => ({ computedUserset: { relation: name } })),
  along('parent'),
  along('other'),
)
const nested: fc.Arbitrary<Userset> = fc.letrec<{ nested: Userset }>((tie) => ({
  nested: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'nested' },
    leaf,
    fc.array(tie('nested'), { minLength: 2, maxLength: 3 }).map((child): Userset => ({ union: { child } })),
    fc
      .array(tie('nested'), { minLength: 2, maxLength: 3 })
      .map((child): Userset => ({ intersection: { child } })),
    fc
      .tuple(tie('nested'), tie('nested'))
      .map(([base, subtract]): Userset => ({ difference: { base, subtract } })),
  ),
})).nested

const others: fc.Arbitrary<readonly RelationReference[]> = fc.constantFrom(
  [{ type: 'group' }],
  [{ type: 'folder' }],
  [{ type: 'group' }, { type: 'folder' }],
  [{ type: 'group' }, { type: 'robot' }],
)
const everyone: RelationReference = { type: 'robot', wildcard: {} }

interface More {
  readonly d: Userset
  readonly e: Userset
  readonly other: readonly RelationReference[]
  readonly robots: boolean
}

const more: fc.Arbitrary<More> = fc.record({ d: nested, e: nested, other: others, robots: fc.boolean() })

function withMore(model: AuthorizationModel, drawn: More, of: readonly string[]): AuthorizationModel {
  const definitions = model.type_definitions.map((each) => {
    if (!of.includes(each.type)) return each
    const relations = each.metadata?.relations ?? {}
    const a = relations['a']?.directly_related_user_types ?? []
    const isThere = a.some((one) => JSON.stringify(one) === JSON.stringify(everyone))
    return {
      ...each,
      relations: { ...each.relations, other: { this: {} }, d: drawn.d, e: drawn.e },
      metadata: {
        relations: {
          ...relations,
          a: { directly_related_user_types: drawn.robots && !isThere ? [...a, everyone] : a },
          other: { directly_related_user_types: [...drawn.other] },
        },
      },
    }
  })
  return { ...model, type_definitions: definitions }
}

export const nestedRelations = [...relationNames, 'd', 'e'] as const

export function nestedCase(conditions: boolean): fc.Arbitrary<RandomCase> {
  return fc
    .tuple(
      randomModel(conditions, 'layered'),
      more,
      fc.constantFrom(['document'], ['folder', 'document'], ['group', 'folder', 'document']),
    )
    .map(([model, drawn, of]) => withMore(model, drawn, of))
    .chain((model) =>
      fc.record({
        model: fc.constant(model),
        tuples: randomTuples(model, 40),
        contextualTuples: fc.oneof(fc.constant([]), randomTuples(model, 6)),
        context: conditions ? fc.constantFrom({}, { x: 'z' }) : fc.constant({}),
      }),
    )
}
