import type { ListFunction, Override } from '../override/override.ts'
import type { OwnCopies } from './own-copies.ts'
import type { Place } from './place.ts'
import type { MapKey, MapValue, Scalar, Value } from './value.ts'

/** What a place of a typed configuration may hold. */
export type NodeType = PlainType | EnumType | UnionType | ListType | DictType | StructType

/** `any` holds everything; `path` a text that is normalized as Python's `pathlib` does. */
export interface PlainType {
  readonly kind: 'any' | 'int' | 'float' | 'bool' | 'str' | 'bytes' | 'path'
}

/** One of some names, each with a value of its own; of names with one value the first is meant. */
export interface EnumType {
  readonly kind: 'enum'
  readonly name: string
  readonly members: ReadonlyMap<string, Scalar>
}

/** Of the first member that the value is of already: nothing is converted. */
export interface UnionType {
  readonly kind: 'union'
  readonly members: readonly ScalarType[]
}

interface ListType {
  readonly kind: 'list'
  readonly element: Hint
}

export interface DictType {
  readonly kind: 'dict'
  readonly key: KeyType
  readonly element: Hint
}

/** What OmegaConf has of a dataclass: fields, their types and defaults. */
export interface StructType {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: ReadonlyMap<string, FieldType>
  /** The struct whose fields it has besides its own; it is taken where that one is. */
  readonly base?: StructType | undefined
  /** A frozen struct is readonly. */
  readonly frozen: boolean
  readonly rules: TypeRules
  /** What `instantiate` with `_convert_: object` makes of an object of its fields. Default: that object. */
  readonly toObject?: ((fields: object) => unknown) | undefined
  /**
   * All fields with their defaults, `???` where there is none; made at the first call.
   * @throws {HydraConfigError} `CONFIG_INVALID` where a default is not of its type
   */
  initial(): MapValue
}

/** A field of a struct. */
export interface FieldType {
  readonly hint: Hint
  initial(): Value
  readonly secret: boolean
}

export type ScalarType = PlainType | EnumType

/** What a key of a map may be. */
export type KeyType = EnumType | { readonly kind: 'any' | 'int' | 'float' | 'bool' | 'str' | 'bytes' }

/** A type, and whether null may stand there too. */
export interface Hint {
  readonly type: NodeType
  readonly optional: boolean
}

/** Set on a value and inherited by what is in it, unless it has its own. */
export interface Flags {
  /** Nothing may be changed. */
  readonly readonly?: boolean
  /** A map has no keys but those that are there. */
  readonly struct?: boolean
}

/** What a typed configuration knows of a value besides the value. */
export interface Typing extends Hint {
  /** The struct that the fields of a map are of. */
  readonly struct?: StructType | undefined
  readonly flags?: Flags | undefined
  readonly rules: TypeRules
}

/**
 * How what has types or flags is changed, as OmegaConf does it. It comes along with the types, so that a program
 * without any does not need it.
 */
export interface TypeRules {
  /** @throws {HydraConfigError} of the class of OmegaConf's error, as all of them */
  merge(dest: Value, src: Value, options: ChangeOptions & MergeMode): Value
  update(config: Value, path: string, value: Value, options: ChangeOptions & UpdateMode): Value
  remove(config: Value, keys: readonly string[], options: ChangeOptions): Value
  withFlags(config: Value, path: string, flags: FlagChange): Value
  /** What an interpolation leads to, as the type of the place that holds it has it. */
  convertResult(node: Place, result: Place): Place
  /** The root of a composition with an override of a value applied. */
  override(root: Value, value: Value, override: Override, options: ChangeOptions & OverrideMode): Value
  /** The root of a composition as it is before overrides. */
  lock(root: Value): Value
  /** The root without the defaults list of the struct at the end of `steps`. */
  withoutDefaults(root: Value, steps: readonly string[]): Value
}

/** What a change works with. */
export interface ChangeOptions {
  readonly resolution: {
    /**
     * What the interpolation at a place leads to.
     * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
     */
    dereference(place: Place): Place
  }
  /** The containers that nobody else holds, which may be changed. Default: none. */
  readonly copies?: OwnCopies | undefined
}

/** How two values are merged. */
export interface MergeMode {
  /** Whether nothing is merged into a root that is readonly, as `merge_with` has it. Default: false. */
  readonly heldReadonly?: boolean
}

/** How a value is updated. */
export interface UpdateMode {
  /** Merges a map or list into what is there; else it replaces it. Default: true. */
  readonly merge?: boolean
  /** Adds keys to what is a struct as well. Default: false. */
  readonly forceAdd?: boolean
}

/** How overrides are applied. */
export interface OverrideMode {
  /** With strict semantics overrides edit lists too. */
  readonly strict:
    | {
        readonly lists: {
          byOverride(there: Value | undefined, edit: ListFunction, items: Value, override: Override): Value
        }
      }
    | undefined
}

/** `undefined` takes a flag away. */
export type FlagChange = { readonly [Flag in keyof Flags]: boolean | undefined }

export const anyHint: Hint = { type: { kind: 'any' }, optional: true }

/** Whether every `type` is a `base` as well. */
export function isSubtype(type: StructType, base: StructType): boolean {
  return type === base || (type.base !== undefined && isSubtype(type.base, base))
}

/** Whether null or `???` is there in the place of a map or list: nothing is below it. */
export function standsForContainer({ kind, typing }: Value): boolean {
  const type = typing?.type.kind
  return kind === 'scalar' && (type === 'list' || type === 'dict' || type === 'struct')
}

/** A type as messages name it: `Optional[Dict[str, int]]`. */
export function typeText({ type, optional }: Hint): string {
  const text = bareText(type)
  return optional && type.kind !== 'any' ? `Optional[${text}]` : text
}

function bareText(type: NodeType): string {
  if (type.kind === 'enum' || type.kind === 'struct') return type.name
  if (type.kind === 'union') return `Union[${type.members.map(bareText).join(', ')}]`
  if (type.kind === 'list') return `List[${typeText(type.element)}]`
  if (type.kind === 'dict') return `Dict[${bareText(type.key)}, ${typeText(type.element)}]`
  if (type.kind === 'any') return 'Any'
  return type.kind === 'path' ? 'Path' : type.kind
}

/** The name of a member whose value is `value`, as Python's enums find it. */
export function memberOf({ members }: EnumType, value: MapKey): string | undefined {
  return members.entries().find(([, each]) => equalScalars(each, value))?.[0]
}

function equalScalars(a: Scalar, b: Scalar): boolean {
  const left = typeof a === 'boolean' ? BigInt(a) : a
  const right = typeof b === 'boolean' ? BigInt(b) : b
  if (left === right) return true
  if (typeof left === 'string' || typeof right === 'string' || left === null || right === null) return false
  return !(left instanceof Uint8Array) && !(right instanceof Uint8Array) && left <= right && left >= right
}
