import { isHydraConfigError } from '../errors.ts'
import { Resolution } from '../interpolation/resolve.ts'
import { resolveAll } from '../interpolation/resolve-all.ts'
import { splitKey } from '../interpolation/split-key.ts'
import type { SchemaResult, StandardSchema } from '../schema/standard-schema.ts'
import { fromPlain } from '../value/from-plain.ts'
import { plainView } from '../value/plain.ts'
import { anyHint, type FieldType, type StructType } from '../value/typing.ts'
import type { MapValue } from '../value/value.ts'
import { attach, freeze, type MapDraft } from './draft.ts'
import { type Field, type FieldLike, type FieldSource, fieldOf, type OutputOf } from './field.ts'
import { jsonSchemaOf } from './json-schema.ts'
import { missingKeys } from './missing-keys.ts'
import { wrap } from './set.ts'
import { typeRules } from './type-rules.ts'

/** What a program reads of fields. */
export type FieldsOutput<Fields> = {
  [Key in keyof Fields]: OutputOf<Fields[Key]>
}

/**
 * A structured config: a config whose fields have types and defaults, as a dataclass is one for OmegaConf. It is the
 * schema of a composition, a config of a source (`structured://`), a field of another one, and a Standard Schema.
 */
export interface Structured<T> extends FieldSource<T>, StandardSchema<unknown, T> {
  readonly type: StructType
  /**
   * All fields with their defaults, as `OmegaConf.structured` gives them; `???` where there is none.
   * @throws {HydraConfigError} `CONFIG_INVALID` where a default is not of its type
   */
  readonly value: MapValue
}

const vendor = '@loadbearing/hydra-config'

/** Whether a schema is a structured config. */
export function isStructured(schema: StandardSchema): schema is Structured<unknown> {
  return schema['~standard'].vendor === vendor && 'type' in schema && 'value' in schema
}

/** Options of {@link structured}. */
export interface StructuredOptions<Base, Output = never> {
  /** The structured config whose fields it has besides its own. */
  readonly extends?: Structured<Base>
  /** Whether nothing of it can be changed any more. Default: false. */
  readonly frozen?: boolean
  /**
   * What `instantiate` with `_convert_: object` makes of it, such as `(fields) => new DB(fields)`: OmegaConf makes an
   * instance of the dataclass. Default: an object of the fields.
   */
  readonly toObject?: (fields: Output) => unknown
}

/**
 * Makes a structured config.
 *
 * @example
 * const DB = structured('DB', { driver: enumOf('Driver', { PG: 1, MYSQL: 2 }, 'PG'), port: int(5432), host: str() })
 */
export function structured<Fields extends Readonly<Record<string, FieldLike<unknown>>>, Base = unknown>(
  name: string,
  fields: Fields,
  options?: StructuredOptions<Base, (unknown extends Base ? unknown : Base) & FieldsOutput<Fields>>,
): Structured<(unknown extends Base ? unknown : Base) & FieldsOutput<Fields>>
export function structured(
  name: string,
  fields: Readonly<Record<string, FieldLike<unknown>>>,
  { extends: base, frozen = false, toObject }: StructuredOptions<unknown> = {},
): Structured<unknown> {
  const own = Object.entries(fields).map(([key, like]): [string, FieldType] => [key, fieldOf(like)])
  const all = new Map([...(base?.type.fields ?? []), ...own])
  let made: MapValue | undefined
  const type: StructType = {
    kind: 'struct',
    name,
    fields: all,
    base: base?.type,
    frozen,
    rules: typeRules,
    // The overload ties what it takes to the fields.
    toObject: toObject as StructType['toObject'],
    initial: () => {
      made ??= initialOf(type)
      return made
    },
  }
  return {
    type,
    get value(): MapValue {
      return type.initial()
    },
    '~field': (): Field<unknown> => ({
      hint: { type, optional: false },
      initial: () => type.initial(),
      secret: false,
    }),
    '~standard': {
      version: 1,
      vendor,
      validate: (value) => validated(type, value),
      jsonSchema: { input: () => jsonSchemaOf(type) },
    },
  }
}

function initialOf(type: StructType): MapValue {
  const draft: MapDraft = {
    shape: 'map',
    parent: undefined,
    key: undefined,
    hint: anyHint,
    flags: type.frozen ? { readonly: true } : {},
    origin: { kind: 'schema-default' },
    options: { rules: typeRules, resolution: new Resolution() },
    struct: type,
    special: undefined,
    entries: new Map(),
  }
  for (const [key, { hint, initial }] of type.fields) attach(draft, key, wrap(hint, initial(), draft, key))
  const value = freeze(draft)
  if (value.kind !== 'map') throw new TypeError('a struct is a map')
  return value
}

function validated(type: StructType, given: unknown): SchemaResult<unknown> {
  try {
    const value = resolveAll(
      typeRules.merge(type.initial(), fromPlain(given), { resolution: new Resolution() }),
    )
    const missing = [...missingKeys(value)]
    if (missing.length === 0) return { value: plainView(value) }
    return { issues: missing.map((path) => ({ path: keysOf(path), message: 'there is no value' })) }
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return { issues: [{ path: keysOf(error.path ?? ''), message: error.message }] }
  }
}

function keysOf(path: string): readonly (string | number)[] {
  if (path === '') return []
  return splitKey(path).map((key) => (/^[0-9]+$/.test(key) ? Number(key) : key))
}
