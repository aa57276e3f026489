import { HydraConfigError } from '../errors.ts'
import { shown } from '../shown.ts'

/**
 * A schema of any library that speaks Standard Schema v1, such as zod, valibot or arktype; of the interface only what
 * is used here. Source: https://standardschema.dev
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    /** Standard JSON Schema v1, where the library has it. */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>
    }
  }
}

/** @throws {HydraConfigError} `INVALID_OPTION` for what is given and no Standard Schema */
export function checkSchema(schema: unknown): void {
  if (schema === undefined) return
  const isObject = (typeof schema === 'object' && schema !== null) || typeof schema === 'function'
  const standard: unknown = isObject ? Reflect.get(schema, '~standard') : undefined
  if (typeof standard === 'object' && standard !== null && 'validate' in standard) return
  throw new HydraConfigError(
    'INVALID_OPTION',
    `schema must be a Standard Schema such as one of zod, valibot or arktype, not ${shown(schema)}`,
  )
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The type with every object, array, map and set in it readonly. */
export type DeepReadonly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends Date | RegExp | URL | Uint8Array
    ? T
    : T extends ReadonlyMap<infer Key, infer Item>
      ? ReadonlyMap<DeepReadonly<Key>, DeepReadonly<Item>>
      : T extends ReadonlySet<infer Item>
        ? ReadonlySet<DeepReadonly<Item>>
        : T extends object
          ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
          : T
