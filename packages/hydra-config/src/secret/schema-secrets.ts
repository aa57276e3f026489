import type { StandardSchema } from '../schema/standard-schema.ts'
import { isStructured } from '../structured/structured.ts'
import type { NodeType } from '../value/typing.ts'

/**
 * The paths that a schema marks as secret: `secretOf` of a structured config; of a schema that gives its JSON Schema
 * what is `writeOnly`, of the format `password`, or has `secret: true`, as `z.string().meta({ secret: true })`.
 */
export function schemaSecrets(schema: StandardSchema | undefined): readonly string[] {
  if (schema === undefined) return []
  if (isStructured(schema)) return typeSecrets(schema.type)
  const root = jsonSchemaOf(schema)
  return root === undefined ? [] : new JsonSchemaSecrets(root).of(root).map((keys) => keys.join('.') || '**')
}

/** The paths of what a type marks as secret. */
export function typeSecrets(type: NodeType): readonly string[] {
  return ofType(type).map((keys) => keys.join('.'))
}

type Keys = readonly string[]

function ofType(type: NodeType): readonly Keys[] {
  if (type.kind === 'list' || type.kind === 'dict') return under('*', ofType(type.element.type))
  if (type.kind !== 'struct') return []
  return Array.from(type.fields, ([key, field]) =>
    under(key, field.secret ? [[]] : ofType(field.hint.type)),
  ).flat()
}

function under(key: string, paths: readonly Keys[]): readonly Keys[] {
  return paths.map((keys) => [key, ...keys])
}

function jsonSchemaOf(schema: StandardSchema): object | undefined {
  const { jsonSchema } = schema['~standard']
  try {
    return jsonSchema?.input({ target: 'draft-2020-12' })
  } catch {
    // What has no JSON Schema, such as a transformation, has no marks in it either.
    return undefined
  }
}

class JsonSchemaSecrets {
  readonly #root: object
  readonly #open = new Set<object>()
  readonly #recursive = new Set<object>()

  constructor(root: object) {
    this.#root = root
  }

  /** The paths below a schema. */
  of(schema: unknown): readonly Keys[] {
    if (typeof schema !== 'object' || schema === null) return []
    if (isMarked(schema)) return [[]]
    if (this.#open.has(schema)) {
      this.#recursive.add(schema)
      return []
    }
    this.#open.add(schema)
    const found = [...this.#inside(schema)]
    this.#open.delete(schema)
    // What holds itself has its secrets at any depth.
    return this.#recursive.has(schema) ? [...found, ...under('**', found)] : found
  }

  *#inside(schema: object): Iterable<Keys> {
    yield* this.of(this.#referred(schema))
    for (const key of ['allOf', 'anyOf', 'oneOf']) {
      const branches = property(schema, key)
      if (Array.isArray(branches)) for (const branch of branches) yield* this.of(branch)
    }
    const items = property(schema, 'prefixItems')
    if (Array.isArray(items)) {
      for (const [index, item] of items.entries()) yield* under(String(index), this.of(item))
    }
    for (const [key, inner] of Object.entries(property(schema, 'properties') ?? {})) {
      yield* under(key, this.of(inner))
    }
    yield* under('*', this.of(property(schema, 'items')))
    yield* under('*', this.of(property(schema, 'additionalProperties')))
  }

  /** What `$ref` leads to, in the same schema. */
  #referred(schema: object): unknown {
    const reference = property(schema, '$ref')
    if (typeof reference !== 'string' || !reference.startsWith('#/')) return undefined
    let at: unknown = this.#root
    for (const part of reference.slice(2).split('/')) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      at = typeof at === 'object' && at !== null ? property(at, key) : undefined
    }
    return at
  }
}

function isMarked(schema: object): boolean {
  return (
    property(schema, 'secret') === true ||
    property(schema, 'writeOnly') === true ||
    property(schema, 'format') === 'password'
  )
}

function property(of: object, key: string): unknown {
  return Object.hasOwn(of, key) ? Reflect.get(of, key) : undefined
}
