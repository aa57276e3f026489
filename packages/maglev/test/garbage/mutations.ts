import fc from 'fast-check'

/** What no caller should give, and what a JSON body or a slip of a finger gives all the same. */
function hostileValues(): unknown[] {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  return [
    undefined,
    null,
    true,
    0,
    -1,
    1.5,
    Number.NaN,
    2 ** 53,
    7n,
    -1n,
    '',
    'x',
    '10.0.0.1:80',
    '__proto__',
    'constructor',
    '\ud800',
    '\0',
    'x'.repeat(10_000),
    Symbol('s'),
    [],
    [undefined],
    [null],
    [[]],
    [{}],
    ['__proto__'],
    {},
    cyclic,
    Object.create(null),
    JSON.parse('{"__proto__":{"weight":1}}'),
    JSON.parse('{"toString":1,"constructor":null,"length":3}'),
    () => undefined,
    () => {
      throw new TypeError('thrown by the caller')
    },
    new Date(Number.NaN),
    new Map([['a', 1]]),
    new Set(['a']),
    new Uint8Array(3),
    new Error('given'),
    Promise.resolve(1),
  ]
}

const hostile: fc.Arbitrary<number> = fc.nat(hostileValues().length - 1)

/**
 * How one set of right arguments is made wrong: a place in them, counted over all that they hold, gets a hostile value; sometimes a
 * second one too. All of it is a few numbers, so that cases shrink and can be run again.
 */
export interface Mutation {
  readonly places: readonly { readonly place: number; readonly value: number }[]
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  places: fc.array(fc.record({ place: fc.nat(40), value: hostile }), { minLength: 1, maxLength: 2 }),
})

export function mutated(args: readonly unknown[], { places }: Mutation): unknown[] {
  const changed: unknown = places.reduce<unknown>((now, { place, value }) => {
    const paths = pathsOf(now)
    return replaced(now, paths[place % paths.length] ?? [], hostileValues()[value])
  }, args)
  return Array.isArray(changed) ? changed : []
}

/** Every place below the arguments themselves, which stay a list. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (!isPlain(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => [
    [...path, name],
    ...pathsOf(inner, [...path, name]),
  ])
}

function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by
  if (Array.isArray(value)) {
    return value.map((each: unknown, index) => (String(index) === name ? replaced(each, rest, by) : each))
  }
  const inner: unknown = Reflect.get(Object(value), name)
  return { ...Object(value), [name]: replaced(inner, rest, by) }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.length < 20
  return Object.getPrototypeOf(value) === Object.prototype && !('self' in value)
}
