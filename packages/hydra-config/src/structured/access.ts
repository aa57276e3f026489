import { scalarString } from '../value/python-string.ts'
import { anyHint, type Hint, type KeyType, memberOf } from '../value/typing.ts'
import { type MapKey, sameKey, type Value } from '../value/value.ts'
import { type ContainerDraft, type Draft, flagOf, isMissing, isNull, type MapDraft, pathTo } from './draft.ts'
import { typedError } from './typed-error.ts'

/** What is put into a draft: another draft, or a plain value as a program or an override gives it. */
export type Input = Draft | Value

export function isDraft(input: Input): input is Draft {
  return 'shape' in input
}

/** What the type of a map or list says of what is in it. */
export function elementHint({ hint: { type } }: ContainerDraft): Hint {
  return type.kind === 'dict' || type.kind === 'list' ? type.element : anyHint
}

/**
 * The draft at a key, undefined where there is none.
 * @throws {HydraConfigError} where a map takes no other keys, or where null or `???` stands for the map or list
 */
export function childOf(parent: ContainerDraft, key: MapKey): Draft | undefined {
  if (parent.shape === 'list') {
    if (parent.special === undefined) return parent.items.get(Number(key))
    if (isMissing(parent)) throw typedError('MissingMandatoryValue', `${pathTo(parent)} is missing (???)`)
    throw typedError('ConfigTypeError', `${pathTo(parent)} is no list`)
  }
  const at = normalizedKey(parent, key)
  if (isNull(parent)) throw typedError('ConfigTypeError', `${pathTo(parent)} is null`)
  checkAccess(parent, at)
  if (parent.special !== undefined) {
    throw typedError('AttributeError', `${pathTo(parent)} is '${String(parent.special.value)}'`)
  }
  return peek(parent, at)
}

/** The draft at a key, whether a map takes the key or not; undefined where there is none. */
export function peek(parent: ContainerDraft, key: MapKey): Draft | undefined {
  if (parent.special !== undefined) return undefined
  if (parent.shape === 'list') return parent.items.get(Number(key))
  const known = sameKey(parent.entries, key)
  return known === undefined ? undefined : parent.entries.get(known)
}

function checkAccess(parent: MapDraft, key: MapKey): void {
  if (sameKey(parent.entries, key) !== undefined) return
  const { struct } = parent
  if (struct !== undefined && parent.flags.struct === false) return
  if (struct === undefined && flagOf(parent, 'struct') !== true) return
  throw typedError(
    'ConfigAttributeError',
    struct === undefined
      ? `Key '${scalarString(key)}' is not in struct`
      : `Key '${scalarString(key)}' not in '${struct.name}'`,
    { path: pathTo(parent, key) },
  )
}

/**
 * A key as the type of a map has it.
 * @throws {HydraConfigError} `CONFIG_INVALID` of class `KeyValidationError`
 */
export function normalizedKey(parent: MapDraft, key: MapKey): MapKey {
  const { type } = parent.hint
  const made = keyOf(type.kind === 'dict' ? type.key : { kind: 'any' }, key)
  if (made !== undefined) return made
  const wanted = type.kind === 'dict' ? type.key : undefined
  throw typedError(
    'KeyValidationError',
    `'${scalarString(key)}' is no key of the type ${wanted?.kind === 'enum' ? wanted.name : (wanted?.kind ?? 'Any')}`,
    { path: pathTo(parent, key) },
  )
}

function keyOf(type: KeyType, key: MapKey): MapKey | undefined {
  switch (type.kind) {
    case 'any':
      return key === null ? undefined : key
    case 'bool':
      return sameKey(
        new Map([
          [true, 0],
          [false, 0],
        ]),
        key,
      )
    case 'int':
      return typeof key === 'bigint' || typeof key === 'boolean' ? key : undefined
    case 'float':
      return typeof key === 'number' ? key : undefined
    case 'str':
      return typeof key === 'string' ? key : undefined
    case 'bytes':
      return key instanceof Uint8Array ? key : undefined
    case 'enum':
    default: {
      if (typeof key === 'bigint') return memberOf(type, key)
      if (typeof key !== 'string') return undefined
      const name = key.startsWith(`${type.name}.`) ? key.slice(type.name.length + 1) : key
      const value = type.members.get(name)
      return value === undefined ? undefined : memberOf(type, value)
    }
  }
}
