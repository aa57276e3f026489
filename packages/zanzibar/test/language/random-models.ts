import fc from 'fast-check'
import type {
  AuthorizationModel,
  ConditionDefinition,
  RelationReference,
  TypeDefinition,
  Userset,
} from '../../src/model/authorization-model.ts'

interface Words {
  readonly types: readonly string[]
  readonly relations: readonly string[]
  /** The relations that stand behind `from`. */
  readonly tuplesets: readonly string[]
  /** Whether every type has every relation. */
  readonly isComplete: boolean
}

const conditions = ['c', 'in_office'] as const
const self: Userset = { this: {} }

/** Without direct users. */
function operandOf(words: Words): fc.Arbitrary<Userset> {
  const name = fc.constantFrom(...words.relations)
  return fc.letrec<{ operand: Userset }>((tie) => ({
    operand: fc.oneof(
      { depthSize: 'xsmall' },
      name.map((relation): Userset => ({ computedUserset: { relation } })),
      fc.tuple(name, fc.constantFrom(...words.tuplesets)).map(
        ([relation, from]): Userset => ({
          tupleToUserset: { tupleset: { relation: from }, computedUserset: { relation } },
        }),
      ),
      fc
        .array(tie('operand'), { minLength: 2, maxLength: 4 })
        .map((child): Userset => ({ union: { child } })),
      fc
        .array(tie('operand'), { minLength: 2, maxLength: 3 })
        .map((child): Userset => ({ intersection: { child } })),
      fc
        .tuple(tie('operand'), tie('operand'))
        .map(([base, subtract]): Userset => ({ difference: { base, subtract } })),
    ),
  })).operand
}

/** A rewrite of the DSL: direct users, if any, first. */
function rewriteOf(words: Words): fc.Arbitrary<Userset> {
  const operand = operandOf(words)
  const operator = fc.constantFrom('or', 'and', 'but not')
  return fc
    .tuple(fc.boolean(), fc.array(fc.tuple(operator, operand), { maxLength: 3 }), operand)
    .map(([direct, more, first]) =>
      more.reduce<Userset>(
        (base, [word, next]) => {
          if (word === 'or') return { union: { child: [base, next] } }
          if (word === 'and') return { intersection: { child: [base, next] } }
          return { difference: { base, subtract: next } }
        },
        direct ? self : first,
      ),
    )
}

function referenceOf(words: Words): fc.Arbitrary<RelationReference> {
  return fc
    .record({
      type: fc.constantFrom(...words.types),
      form: fc.constantFrom('', '', '*', ...words.relations),
      condition: fc.option(fc.constantFrom(...conditions), { freq: 3 }),
    })
    .map(({ type, form, condition }) => ({
      type,
      ...(form === '*' ? { wildcard: {} } : form && { relation: form }),
      ...(condition && !words.isComplete && { condition }),
    }))
}

function typeOf(type: string, words: Words): fc.Arbitrary<TypeDefinition> {
  const relation = (key: string): fc.Arbitrary<readonly [string, Userset, readonly RelationReference[]]> =>
    fc.tuple(fc.constant(key), rewriteOf(words), fc.array(referenceOf(words), { minLength: 1, maxLength: 4 }))
  const parent = ['p', self, words.types.map((user) => ({ type: user }))] as const
  const chosen = words.isComplete ? fc.constant([...words.relations]) : fc.subarray([...words.relations])
  return chosen
    .chain((names) => fc.tuple(...names.map(relation)))
    .map((names) => (words.isComplete ? [...names, parent] : names))
    .map((relations) => ({
      type,
      relations: Object.fromEntries(relations.map(([key, of]) => [key, of])),
      metadata:
        relations.length === 0
          ? null
          : {
              relations: Object.fromEntries(
                relations.map(([key, of, references]) => [
                  key,
                  { directly_related_user_types: JSON.stringify(of).includes('"this"') ? references : [] },
                ]),
              ),
            },
    }))
}

const condition = (key: string): fc.Arbitrary<ConditionDefinition> =>
  fc.constantFrom<ConditionDefinition>(
    { name: key, expression: 'x > 1', parameters: { x: { type_name: 'TYPE_NAME_INT' } } },
    {
      name: key,
      expression: '"a#b" in l && m["k"] == 0.5\n    || true',
      parameters: {
        l: { type_name: 'TYPE_NAME_LIST', generic_types: [{ type_name: 'TYPE_NAME_STRING' }] },
        m: { type_name: 'TYPE_NAME_MAP', generic_types: [{ type_name: 'TYPE_NAME_DOUBLE' }] },
      },
    },
  )

function modelOf(words: Words): fc.Arbitrary<AuthorizationModel> {
  const types = words.isComplete
    ? fc.constant([...words.types])
    : fc.subarray([...words.types], { minLength: 1 })
  return fc
    .tuple(
      types.chain((chosen) => fc.tuple(...chosen.map((type) => typeOf(type, words)))),
      fc
        .subarray(words.isComplete ? [] : [...conditions])
        .chain((chosen) => fc.tuple(...chosen.map(condition))),
    )
    .map(([definitions, defined]) => ({
      schema_version: '1.1',
      type_definitions: definitions,
      ...(defined.length > 0 && { conditions: Object.fromEntries(defined.map((each) => [each.name, each])) }),
    }))
}

/** Models that the DSL can say; whether what they mention is defined is left to chance. */
export const anyModel: fc.Arbitrary<AuthorizationModel> = modelOf({
  types: ['user', 'doc', 'org/unit', 'a-b.c', 'type'],
  relations: ['viewer', 'owner', 'parent', 'module', 'x-1', 'relation', 'define_'],
  tuplesets: ['viewer', 'owner', 'parent', 'x-1'],
  isComplete: false,
})

/** Models in which all is defined; whether anybody can have a relation is left to chance. */
export const completeModel: fc.Arbitrary<AuthorizationModel> = modelOf({
  types: ['user', 'doc'],
  relations: ['a', 'b', 'c', 'd'],
  tuplesets: ['p'],
  isComplete: true,
})
