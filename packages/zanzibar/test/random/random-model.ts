import fc from 'fast-check'
import type {
  AuthorizationModel,
  RelationReference,
  TypeDefinition,
  Userset,
} from '../../src/model/authorization-model.ts'
import type { Context, Tuple } from '../../src/tuple/tuple.ts'

/** What random models are made of: `parent` leads from object to object, the others are rewritten in every way. */
export const objectTypes = ['group', 'folder', 'document'] as const
export const relationNames = ['a', 'b', 'c'] as const
export const userIds = ['1', '2', '3'] as const
const objectIds = ['1', '2', '3'] as const

export interface RandomCase {
  readonly model: AuthorizationModel
  readonly tuples: readonly Tuple[]
  readonly contextualTuples: readonly Tuple[]
  readonly context: Context
}

const relation = fc.constantFrom(...relationNames)

/** Its leaves; `this` is drawn at most once a relation. */
const leaf: fc.Arbitrary<Userset> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Userset>({ this: {} }) },
  { weight: 2, arbitrary: relation.map((name): Userset => ({ computedUserset: { relation: name } })) },
  {
    weight: 2,
    arbitrary: relation.map(
      (name): Userset => ({
        tupleToUserset: { tupleset: { relation: 'parent' }, computedUserset: { relation: name } },
      }),
    ),
  },
)

const rewrite: fc.Arbitrary<Userset> = fc.letrec<{ rewrite: Userset }>((tie) => ({
  rewrite: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 3, arbitrary: leaf },
    {
      weight: 2,
      arbitrary: fc
        .array(tie('rewrite'), { minLength: 2, maxLength: 3 })
        .map((child): Userset => ({ union: { child } })),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(tie('rewrite'), { minLength: 2, maxLength: 2 })
        .map((child): Userset => ({ intersection: { child } })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie('rewrite'), tie('rewrite'))
        .map(([base, subtract]): Userset => ({ difference: { base, subtract } })),
    },
  ),
})).rewrite

/** Of `conditioned`, some hold, some do not, some lack their parameter. */
export const conditionNames = ['holds', 'fails'] as const

const condition = fc.option(fc.constantFrom(...conditionNames), { nil: undefined, freq: 4 })

function restriction(conditions: boolean, types: readonly ObjectType[]): fc.Arbitrary<RelationReference> {
  const shape = fc.oneof(
    { weight: 4, arbitrary: fc.constant<RelationReference>({ type: 'user' }) },
    { weight: 2, arbitrary: fc.constant<RelationReference>({ type: 'user', wildcard: {} }) },
    { weight: 1, arbitrary: fc.constant<RelationReference>({ type: 'robot' }) },
    {
      weight: 4,
      arbitrary: fc
        .record({ type: fc.constantFrom(...types), relation })
        .map((each): RelationReference => each),
    },
  )
  return fc
    .tuple(shape, conditions ? condition : fc.constant(undefined))
    .map(([each, name]) => (name === undefined ? each : { ...each, condition: name }))
}

type ObjectType = (typeof objectTypes)[number]

/** `wild`: all types lead to each other; `layered`: most tuples lead downwards, from documents by folders to groups. */
export type Shape = 'wild' | 'layered'

const below: Readonly<Record<Shape, Readonly<Record<ObjectType, readonly ObjectType[]>>>> = {
  wild: { group: objectTypes, folder: objectTypes, document: objectTypes },
  layered: { group: ['group'], folder: ['group', 'folder'], document: ['group', 'folder'] },
}

function randomType(conditions: boolean, types: readonly ObjectType[]): fc.Arbitrary<DrawnType> {
  const restrictions = fc.uniqueArray(restriction(conditions, types), {
    minLength: 1,
    maxLength: 4,
    selector: (each) => JSON.stringify(each),
  })
  const definition = fc.record({ rewrite, restrictions })
  const parents = fc.uniqueArray(fc.constantFrom(...types), { minLength: 1, maxLength: 3 })
  return fc.record({ parents, a: definition, b: definition, c: definition })
}

interface DrawnType {
  readonly parents: readonly ObjectType[]
  readonly a: Definition
  readonly b: Definition
  readonly c: Definition
}

export function randomModel(conditions: boolean, shape: Shape = 'wild'): fc.Arbitrary<AuthorizationModel> {
  const { group, folder, document } = below[shape]
  return fc
    .record({
      group: randomType(conditions, group),
      folder: randomType(conditions, folder),
      document: randomType(conditions, document),
    })
    .map((types) => ({
      schema_version: '1.1',
      type_definitions: [
        { type: 'user' },
        { type: 'robot' },
        ...objectTypes.map((name): TypeDefinition => {
          const { parents: allowed, ...relations } = types[name]
          const kept = Object.entries(relations).map(([key, each]) => ({ key, ...firstOnly(each, key) }))
          return {
            type: name,
            relations: {
              parent: { this: {} },
              ...Object.fromEntries(kept.map((each) => [each.key, each.rewrite])),
            },
            metadata: {
              relations: {
                parent: { directly_related_user_types: allowed.map((parent) => ({ type: parent })) },
                ...Object.fromEntries(
                  kept.map((each) => [each.key, { directly_related_user_types: each.restrictions }]),
                ),
              },
            },
          }
        }),
      ],
      ...(conditions ? { conditions: conditionDefinitions } : {}),
    }))
}

const conditionDefinitions: NonNullable<AuthorizationModel['conditions']> = Object.fromEntries(
  conditionNames.map((name) => [
    name,
    {
      name,
      expression: name === 'holds' ? 'x == x' : 'x != x',
      parameters: { x: { type_name: 'TYPE_NAME_STRING' as const } },
    },
  ]),
)

interface Definition {
  readonly rewrite: Userset
  readonly restrictions: readonly RelationReference[]
}

/**
 * One `this` at most, computed relations only of names before its own, and restrictions where there is a `this` only.
 * Users can be assigned to the first of them, so that most models lead somewhere.
 */
function firstOnly({ rewrite: drawn, restrictions }: Definition, name: string): Definition {
  const isFirst = name === relationNames[0]
  let hasThis = false
  const keep = (userset: Userset): Userset => {
    if ('union' in userset) return { union: { child: userset.union.child.map(keep) } }
    if ('intersection' in userset) return { intersection: { child: userset.intersection.child.map(keep) } }
    if ('difference' in userset) {
      return {
        difference: { base: keep(userset.difference.base), subtract: keep(userset.difference.subtract) },
      }
    }
    const isLater = 'computedUserset' in userset && userset.computedUserset.relation >= name
    if (!isLater && !('this' in userset)) return userset
    if (hasThis) {
      return { tupleToUserset: { tupleset: { relation: 'parent' }, computedUserset: { relation: name } } }
    }
    hasThis = true
    return { this: {} }
  }
  const kept = keep(isFirst && !('this' in drawn) ? { union: { child: [{ this: {} }, drawn] } } : drawn)
  if (!hasThis) return { rewrite: kept, restrictions: [] }
  const hasUser = restrictions.some((each) => JSON.stringify(each) === '{"type":"user"}')
  return {
    rewrite: kept,
    restrictions: isFirst && !hasUser ? [{ type: 'user' }, ...restrictions] : restrictions,
  }
}

/** Tuples that the model takes. */
export function randomTuples(model: AuthorizationModel, maxLength: number): fc.Arbitrary<Tuple[]> {
  const shapes = model.type_definitions.flatMap(({ type, metadata }) =>
    Object.entries(metadata?.relations ?? {}).flatMap(([name, { directly_related_user_types: allowed }]) =>
      (allowed ?? []).map((each) => ({ type, name, each })),
    ),
  )
  if (shapes.length === 0) return fc.constant([])
  const tuple = fc
    .record({
      shape: fc.constantFrom(...shapes),
      object: fc.constantFrom(...objectIds),
      user: fc.constantFrom(...objectIds),
      given: fc.boolean(),
    })
    .map(({ shape: { type, name, each }, object, user, given }): Tuple => {
      const id = each.wildcard === undefined ? user : '*'
      return {
        object: `${type}:${object}`,
        relation: name,
        user: `${each.type}:${id}${each.relation === undefined ? '' : `#${each.relation}`}`,
        ...(each.condition === undefined
          ? {}
          : { condition: { name: each.condition, ...(given ? { context: { x: 'y' } } : {}) } }),
      }
    })
  return fc
    .uniqueArray(tuple, {
      minLength: Math.floor(Math.min(maxLength, shapes.length * 4) / 2),
      maxLength,
      size: 'max',
      selector: ({ object, relation: name, user }) => `${object}#${name}@${user}`,
    })
    .map((tuples) => tuples.filter(({ object, relation: name, user }) => `${object}#${name}` !== user))
}

export function randomCase(conditions: boolean, shape: Shape = 'wild'): fc.Arbitrary<RandomCase> {
  return randomModel(conditions, shape).chain((model) =>
    fc.record({
      model: fc.constant(model),
      tuples: randomTuples(model, 30),
      contextualTuples: fc.oneof(
        { weight: 2, arbitrary: fc.constant<Tuple[]>([]) },
        { weight: 1, arbitrary: randomTuples(model, 4) },
      ),
      context: conditions ? fc.constantFrom<Context>({}, {}, { x: 'z' }) : fc.constant<Context>({}),
    }),
  )
}
