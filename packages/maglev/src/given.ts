import { MaglevError, type MaglevErrorCode, shown } from './errors.ts'

/** @throws MaglevError where `value`, which is called `what`, is no object, or a list. */
export function wantObject(what: string, value: unknown, code: MaglevErrorCode = 'INVALID_OPTION'): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  throw new MaglevError(code, `${what} must be an object, not ${shown(value)}`)
}

/** @throws MaglevError where `value` lacks one of the functions that make it what is `wanted`, such as `a Pool`. */
export function wantMethods(what: string, value: unknown, wanted: string, methods: readonly string[]): void {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  if (isObject && methods.every((name) => typeof Reflect.get(value, name) === 'function')) return
  throw new MaglevError('INVALID_OPTION', `${what} must be ${wanted}, not ${shown(value)}`)
}

/** @throws MaglevError for what cannot be iterated over, and for a string, whose letters nobody means. */
export function wantList(what: string, value: unknown, code: MaglevErrorCode): void {
  if (typeof value === 'object' && value !== null && Symbol.iterator in value) return
  throw new MaglevError(code, `${what} must be a list, not ${shown(value)}`)
}

const maglevMethods = ['lookup', 'owners', 'setHealth', 'update', 'on'] as const

/** A Maglev, of another copy of this package as well. */
export function wantMaglev(what: string, value: unknown): void {
  wantMethods(what, value, 'a Maglev', maglevMethods)
}

/** Pools by name; one pool in place of them would be taken for a record of its own fields. */
export function wantPools(value: unknown): void {
  if (typeof value === 'object' && value !== null && 'stats' in value && typeof value.stats === 'function') {
    throw new MaglevError(
      'INVALID_OPTION',
      'pools must be pools by name, such as { users: pool }, not a pool',
    )
  }
  wantObject('pools', value)
  for (const [name, pool] of Object.entries(Object(value))) {
    wantMethods(`pools: ${shown(name)}`, pool, 'a Pool', ['stats', 'states'])
    wantMaglev(`pools: the maglev of ${shown(name)}`, Reflect.get(Object(pool), 'maglev'))
  }
}
