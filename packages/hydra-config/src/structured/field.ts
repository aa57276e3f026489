import { fromPlain } from '../value/from-plain.ts'
import { secret } from '../value/secret.ts'
import type { EnumType, FieldType, Hint, KeyType, PlainType, ScalarType, UnionType } from '../value/typing.ts'
import { type Scalar, scalar } from '../value/value.ts'

/** A mandatory value that is not given: reading it is an error. */
export const MISSING = '???'

/** What may be given for the default of a field: a value, `???`, or a text with an interpolation. */
export type Initial<T> = T | typeof MISSING | `${string}\${${string}`

/** A field of a structured config: its type and its default. `T` is what a program reads of it. */
export interface Field<T> extends FieldType {
  /** Never there: it carries the type. */
  readonly '~type'?: T
}

/** A field of scalars, which may be a member of a union or the type of keys. */
export interface ScalarField<T, Type extends ScalarType = ScalarType> extends Field<T> {
  readonly hint: Hint & { readonly type: Type }
}

/** What is a field as well: a structured config is one of itself with its defaults. */
export interface FieldSource<T> {
  readonly '~field': () => Field<T>
}

export type FieldLike<T> = Field<T> | FieldSource<T>

type Plain<Kind extends PlainType['kind']> = PlainType & { readonly kind: Kind }

/** An integer; of a text Python's `int()` of it. */
export function int(initial?: Initial<number | bigint>): ScalarField<number, Plain<'int'>> {
  return field({ kind: 'int' }, initial)
}

/** A number; of a text Python's `float()` of it. */
export function float(initial?: Initial<number>): ScalarField<number, Plain<'float'>> {
  return field({ kind: 'float' }, initial)
}

/** true or false; also of an integer, and of `yes`, `y`, `on`, `no`, `n`, `off` in any case. */
export function bool(initial?: Initial<boolean>): ScalarField<boolean, Plain<'bool'>> {
  return field({ kind: 'bool' }, initial)
}

/** A text; of every other scalar Python's `str()` of it. */
export function str(initial?: string): ScalarField<string, Plain<'str'>> {
  return field({ kind: 'str' }, initial)
}

export function bytes(initial?: Initial<Uint8Array>): ScalarField<Uint8Array, Plain<'bytes'>> {
  return field({ kind: 'bytes' }, initial)
}

/** A path, written as Python's `pathlib` writes it. */
export function path(initial?: string): ScalarField<string, Plain<'path'>> {
  return field({ kind: 'path' }, initial)
}

/** Anything, null too. */
export function any(initial?: unknown): ScalarField<unknown, Plain<'any'>> {
  return { hint: { type: { kind: 'any' }, optional: true }, ...initially(initial) }
}

/**
 * One of some names, each with a value of its own: read by its name, by `Name.MEMBER` or by an integer value.
 *
 * @example enumOf('Driver', { PG: 1, MYSQL: 2 }, 'PG')
 */
export function enumOf<const Members extends Readonly<Record<string, number | string>>>(
  name: string,
  members: Members,
  initial?: Initial<keyof Members & string>,
): ScalarField<keyof Members & string, EnumType> {
  const values = Object.entries(members).map(([member, value]) => [member, valueOfMember(value)] as const)
  return field({ kind: 'enum', name, members: new Map(values) }, initial)
}

function valueOfMember(value: number | string): Scalar {
  const plain = fromPlain(value)
  return plain.kind === 'scalar' ? plain.value : null
}

/** Of the first of these types that a value is of without a conversion. */
export function union<const Members extends readonly ScalarField<unknown>[]>(
  members: Members,
  initial?: Initial<OutputOf<Members[number]>>,
): Field<OutputOf<Members[number]>> & { readonly hint: { readonly type: UnionType } } {
  return field({ kind: 'union', members: members.map(({ hint }) => hint.type) }, initial)
}

/** What a program reads of a field. */
export type OutputOf<Of> = Of extends FieldLike<infer T> ? T : never

export function listOf<T>(element: FieldLike<T>, initial?: Initial<readonly NoInfer<T>[]>): Field<T[]> {
  return field({ kind: 'list', element: fieldOf(element).hint }, initial)
}

/** How a key is read of a plain object. */
type KeyText<Key> = Key extends PropertyKey ? Key : string

/** A map of keys of one type to values of one type. */
export function dictOf<Key, T>(
  key: ScalarField<Key>,
  element: FieldLike<T>,
  initial?: Initial<Readonly<Partial<Record<KeyText<NoInfer<Key>>, NoInfer<T>>>>>,
): Field<Record<KeyText<Key>, T>> {
  return field({ kind: 'dict', key: keyType(key.hint.type), element: fieldOf(element).hint }, initial)
}

function keyType(type: ScalarType): KeyType {
  if (type.kind === 'path') throw new TypeError('a path cannot be the type of keys')
  return type.kind === 'enum' ? type : { kind: type.kind }
}

/** The same, or null. The default is that of the field where none is given. */
export function optional<T>(inner: FieldLike<T>, initial?: Initial<T> | null): Field<T | null> {
  const bare = fieldOf(inner)
  const given = initial === undefined ? bare : { ...bare, ...initially(initial) }
  return { ...given, hint: { ...bare.hint, optional: true } }
}

/** The same, kept out of everything that is shown. */
export function secretOf<T>(inner: FieldLike<T>): Field<T> {
  const { hint, initial } = fieldOf(inner)
  return { hint, initial: () => secret(initial()), secret: true }
}

export function fieldOf<T>(like: FieldLike<T>): Field<T> {
  return '~field' in like ? like['~field']() : like
}

function field<Type extends Hint['type']>(
  type: Type,
  initial: unknown,
): FieldType & { readonly hint: Hint & { readonly type: Type } } {
  return { hint: { type, optional: false }, ...initially(initial) }
}

function initially(initial: unknown): Pick<FieldType, 'initial' | 'secret'> {
  const origin = { kind: 'schema-default' } as const
  const value = initial === undefined ? scalar(MISSING, origin) : fromPlain(initial, origin)
  return {
    initial: () => value,
    secret: false,
  }
}
