import type { RunConfig } from '../job/run-config.ts'
import { scalarString } from '../value/python-string.ts'
import type { Value } from '../value/value.ts'

type JsonSchema = Readonly<Record<string, unknown>>

/**
 * A JSON Schema (draft 2020-12) of the primary config: its defaults list with the options of every config group, and its
 * keys with the types that they have in the composition. Every value may be an interpolation or `???` instead.
 */
export function editorSchema(run: RunConfig): JsonSchema {
  const { tree } = run.task
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { defaults: defaultsSchema(run), ...propertiesOf(tree.raw) },
    $defs: {
      interpolation: { type: 'string', pattern: '\\$\\{' },
      missing: { const: '???' },
    },
  }
}

function defaultsSchema({ job }: RunConfig): JsonSchema {
  const { repository } = job
  const groups = [...repository.groups()].toSorted().filter((group) => repository.options(group).length > 0)
  const keyed = groups.map((group) => [group, optionsSchema(repository.options(group))] as const)
  const patterns = keyed.map(
    ([group, options]) =>
      [`^((optional|override) )*/?${group.replaceAll('.', '\\.')}(@.*)?$`, options] as const,
  )
  return {
    type: 'array',
    items: {
      anyOf: [
        { type: 'string' },
        {
          type: 'object',
          minProperties: 1,
          maxProperties: 1,
          patternProperties: Object.fromEntries(patterns),
        },
      ],
    },
  }
}

function optionsSchema(options: readonly string[]): JsonSchema {
  const one = { enum: [...options, null, '???'] }
  return { anyOf: [one, { $ref: '#/$defs/interpolation' }, { type: 'array', items: { enum: [...options] } }] }
}

function propertiesOf(value: Value): JsonSchema {
  if (value.kind !== 'map') return {}
  return Object.fromEntries(
    value.entries.entries().map(([key, item]) => [scalarString(key), open(schemaOf(item))] as const),
  )
}

function schemaOf(value: Value): JsonSchema | undefined {
  if (value.kind === 'map') return { type: 'object', properties: propertiesOf(value) }
  if (value.kind === 'list') return { type: 'array' }
  const plain = value.value
  if (plain === null || plain instanceof Uint8Array) return undefined
  if (typeof plain === 'string') return /^\?\?\?$|\$\{/.test(plain) ? undefined : { type: 'string' }
  if (typeof plain === 'boolean') return { type: 'boolean' }
  return { type: typeof plain === 'bigint' ? 'integer' : 'number' }
}

/** Of a value that tells no type, any is taken. */
function open(schema: JsonSchema | undefined): JsonSchema {
  if (schema === undefined) return {}
  return { anyOf: [schema, { $ref: '#/$defs/interpolation' }, { $ref: '#/$defs/missing' }, { type: 'null' }] }
}
