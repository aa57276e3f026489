import { springDuration } from './spring-duration.ts'

export type Kind = 'number' | 'integer' | 'flag' | 'duration' | 'type' | 'state' | 'text'

export type Value = string | number | boolean

/** What resilience4j has a part of its configuration for. */
export interface Section {
  /** Below `resilience4j`, without dashes. */
  readonly name: string
  readonly title: string
  /** Properties, and what they are. */
  readonly kinds: Readonly<Record<string, Kind>>
  /** What `configs.default` is for: an instance without a base, or also each config without one that it has as its base. */
  readonly defaultOf: 'instance' | 'all'
  /** Properties that have no meaning outside of Java. */
  readonly withoutMeaning: ReadonlySet<string>
}

/** Spring takes names in any case, with or without dashes. */
export function plain(key: unknown): string {
  return String(key).replaceAll(/[-_]/g, '').toLowerCase()
}

/** The name of a property of the section as resilience4j has it. */
export function propertyOf({ kinds, withoutMeaning }: Section, key: unknown): string | undefined {
  const wanted = plain(key)
  return [...Object.keys(kinds), ...withoutMeaning].find((name) => plain(name) === wanted)
}

/** A property's value, read; what it has to be where it is not that; undefined for one without meaning. */
export function readValue(section: Section, property: string, value: unknown): ReadValue {
  const kind = Object.hasOwn(section.kinds, property) ? section.kinds[property] : undefined
  if (kind === undefined) return { value: '' }
  const read = readers[kind](value)
  return read === undefined ? { wanted: wantedBy[kind] } : { value: read }
}

type ReadValue = { readonly value: Value } | { readonly wanted: string }

const wantedBy: Readonly<Record<Kind, string>> = {
  number: 'a number',
  integer: 'a whole number',
  flag: 'true or false',
  duration: 'a duration such as 10s, 500ms, PT10S or a number of milliseconds',
  type: 'COUNT_BASED or TIME_BASED',
  state: 'OPEN or CLOSED',
  text: 'the name of a config',
}

const readers: Readonly<Record<Kind, (value: unknown) => Value | undefined>> = {
  number: readNumber,
  integer: (value) => {
    const number = readNumber(value)
    return Number.isInteger(number) ? number : undefined
  },
  flag: (value) => (/^(?:true|false)$/i.test(String(value)) ? /^true$/i.test(String(value)) : undefined),
  duration: springDuration,
  type: (value) => oneOf(value, ['COUNT_BASED', 'TIME_BASED']),
  state: (value) => oneOf(value, ['OPEN', 'CLOSED']),
  text: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
}

function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^[+-]?\d{1,16}(?:\.\d{1,16})?$/.test(value) ? Number(value) : undefined
}

function oneOf(value: unknown, names: readonly string[]): string | undefined {
  return names.find((name) => typeof value === 'string' && plain(name) === plain(value))
}
