import type { Hint, NodeType, StructType } from '../value/typing.ts'

type JsonSchema = Record<string, unknown>

/** A JSON Schema (draft 2020-12) of a struct, for editors: every value may be an interpolation or `???` as well. */
export function jsonSchemaOf(type: StructType): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...ofStruct(type),
    $defs: { special: { type: 'string', pattern: '^\\?\\?\\?$|\\$\\{' } },
  }
}

function ofStruct({ name, fields }: StructType): JsonSchema {
  const properties = Array.from(fields, ([key, { hint, secret }]): [string, JsonSchema] => [
    key,
    secret ? { ...ofHint(hint), writeOnly: true } : ofHint(hint),
  ])
  return {
    title: name,
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  }
}

function ofHint({ type, optional }: Hint): JsonSchema {
  if (type.kind === 'any') return {}
  return { anyOf: [ofType(type), ...(optional ? [{ type: 'null' }] : []), { $ref: '#/$defs/special' }] }
}

/** What is converted is of its own type here: `'77'` in the place of an integer is taken, and still no good style. */
function ofType(type: NodeType): JsonSchema {
  switch (type.kind) {
    case 'int':
      return { type: 'integer' }
    case 'float':
      return { type: 'number' }
    case 'bool':
      return { type: 'boolean' }
    case 'enum':
      return { enum: [...type.members.keys()] }
    case 'union':
      return { anyOf: type.members.map(ofType) }
    case 'list':
      return { type: 'array', items: ofHint(type.element) }
    case 'dict':
      return { type: 'object', additionalProperties: ofHint(type.element) }
    case 'struct':
      return ofStruct(type)
    case 'any':
      return {}
    case 'str':
    case 'path':
    case 'bytes':
    default:
      return { type: 'string' }
  }
}
