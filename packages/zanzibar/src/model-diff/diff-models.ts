import { checkModel } from '../given-kinds.ts'
import type {
  AuthorizationModel,
  ConditionDefinition,
  RelationReference,
  Userset,
} from '../model/authorization-model.ts'
import { printParameterType, printReference, printRewrite } from '../model/print-model.ts'
import { canonicalJson } from '../store/write-plan.ts'

/** A difference between two models. Definitions and restrictions are as the DSL writes them. */
export type ModelChange =
  | { readonly kind: 'schema'; readonly change: 'changed'; readonly before: string; readonly after: string }
  | { readonly kind: 'type'; readonly change: 'added' | 'removed'; readonly type: string }
  | {
      readonly kind: 'relation'
      readonly change: 'added' | 'removed'
      readonly type: string
      readonly relation: string
      readonly definition: string
    }
  /** What a relation is made of; not who may be assigned to it directly, which its restrictions say. */
  | {
      readonly kind: 'rewrite'
      readonly change: 'changed'
      readonly type: string
      readonly relation: string
      readonly before: string
      readonly after: string
    }
  | {
      readonly kind: 'restriction'
      readonly change: 'added' | 'removed'
      readonly type: string
      readonly relation: string
      readonly restriction: string
    }
  | { readonly kind: 'condition'; readonly change: 'added' | 'removed'; readonly condition: string }
  | {
      readonly kind: 'condition'
      readonly change: 'changed'
      readonly condition: string
      readonly before: string
      readonly after: string
    }

/**
 * What a model changes that takes another one's place, type by type; where a type or relation comes or goes as a whole,
 * nothing is said about its parts. Orders, modules and files make no difference.
 */
export function diffModels(before: AuthorizationModel, after: AuthorizationModel): readonly ModelChange[] {
  checkModel('before', before)
  checkModel('after', after)
  const schema: ModelChange[] =
    before.schema_version === after.schema_version
      ? []
      : [
          {
            kind: 'schema',
            change: 'changed',
            before: before.schema_version,
            after: after.schema_version,
          },
        ]
  const types = pairs(typesOf(before), typesOf(after)).flatMap(([type, was, is]): readonly ModelChange[] => {
    if (was === undefined) return [{ kind: 'type', change: 'added', type }]
    return is === undefined ? [{ kind: 'type', change: 'removed', type }] : diffRelations(type, was, is)
  })
  return [...schema, ...types, ...diffConditions(before, after)]
}

interface Definition {
  readonly rewrite: Userset
  readonly restrictions: readonly RelationReference[]
}

type Definitions = ReadonlyMap<string, Definition>

function typesOf(model: AuthorizationModel): ReadonlyMap<string, Definitions> {
  return new Map(
    model.type_definitions.map(({ type, relations, metadata }) => {
      const metadataOf = new Map(Object.entries(metadata?.relations ?? {}))
      const definitions = Object.entries(relations ?? {}).map(([name, rewrite]): [string, Definition] => [
        name,
        { rewrite, restrictions: metadataOf.get(name)?.directly_related_user_types ?? [] },
      ])
      return [type, new Map(definitions)]
    }),
  )
}

function diffRelations(type: string, before: Definitions, after: Definitions): readonly ModelChange[] {
  return pairs(before, after).flatMap(([relation, was, is]): readonly ModelChange[] => {
    if (was === undefined || is === undefined) {
      const change = was === undefined ? 'added' : 'removed'
      const there = was ?? is
      const definition = there === undefined ? '' : definitionText(there)
      return [{ kind: 'relation', change, type, relation, definition }]
    }
    const rewrites: ModelChange[] =
      rewriteText(was) === rewriteText(is)
        ? []
        : [
            {
              kind: 'rewrite',
              change: 'changed',
              type,
              relation,
              before: definitionText(was),
              after: definitionText(is),
            },
          ]
    const [had, has] = [restrictionTexts(was), restrictionTexts(is)]
    const restrictions = pairs(had, has).flatMap(([restriction, there, stays]): readonly ModelChange[] =>
      there !== undefined && stays !== undefined
        ? []
        : [
            {
              kind: 'restriction',
              change: there === undefined ? 'added' : 'removed',
              type,
              relation,
              restriction,
            },
          ],
    )
    return [...rewrites, ...restrictions]
  })
}

function restrictionTexts({ restrictions }: Definition): ReadonlyMap<string, true> {
  return new Map(restrictions.map((each) => [printReference(each), true]))
}

function rewriteText({ rewrite }: Definition): string {
  return definitionText({ rewrite, restrictions: [] })
}

/** In the DSL; in JSON, where the DSL cannot say it. */
function definitionText({ rewrite, restrictions }: Definition): string {
  return printRewrite(rewrite, restrictions) ?? canonicalJson(rewrite)
}

function diffConditions(before: AuthorizationModel, after: AuthorizationModel): readonly ModelChange[] {
  const conditionsOf = ({ conditions }: AuthorizationModel): ReadonlyMap<string, ConditionDefinition> =>
    new Map(Object.entries(conditions ?? {}))
  return pairs(conditionsOf(before), conditionsOf(after)).flatMap(
    ([condition, was, is]): readonly ModelChange[] => {
      if (was === undefined) return [{ kind: 'condition', change: 'added', condition }]
      if (is === undefined) return [{ kind: 'condition', change: 'removed', condition }]
      const [from, to] = [conditionText(was), conditionText(is)]
      return from === to ? [] : [{ kind: 'condition', change: 'changed', condition, before: from, after: to }]
    },
  )
}

function conditionText({ parameters, expression }: ConditionDefinition): string {
  const list = Object.entries(parameters ?? {})
    .map(([name, type]) => `${name}: ${printParameterType(type)}`)
    .toSorted()
  return `(${list.join(', ')}) { ${expression.trim()} }`
}

/** What both have by its name: first what was there, in its order, then what came. */
function pairs<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): readonly (readonly [name: string, before: T | undefined, after: T | undefined])[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return Array.from(names, (name) => [name, before.get(name), after.get(name)])
}
