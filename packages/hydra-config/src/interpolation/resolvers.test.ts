import { describe, expect, test } from 'vitest'
import { Place } from '../value/place.ts'
import { plainView } from '../value/plain.ts'
import type { Value } from '../value/value.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import type { ResolveOptions } from './options.ts'
import { Resolution } from './resolve.ts'
import { resolveAll, select as selectIn } from './resolve-all.ts'
import type { ResolverContext, Resolvers } from './resolver.ts'
import { ResolverCache } from './resolver-cache.ts'
import { withWholeResolution } from './whole.ts'

test('a name that every object has is no variable of an environment', () => {
  const variables: Record<string, string> = {}
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const environment = (asked: string): string | undefined => variables[asked]
    expect(() => resolved(`a: \${oc.env:${name}}\n`, { environment })).toThrow('not found')
    expect(resolved(`a: \${oc.env:${name},none}\n`, { environment })).toEqual({ a: 'none' })
  }
})

test('a bad index of a list is what Python raised of it, as OmegaConf tells it', () => {
  expect(() => resolved('v: [1]\na: ${v.x}\n', {})).toThrow(
    "TypeError raised while resolving interpolation: Index 'x' (str) is not an int",
  )
})

describe('arguments and answers', () => {
  test('are plain values, the context last', () => {
    const calls: unknown[][] = []
    const seen = (...args: unknown[]): null => {
      calls.push(args)
      return null
    }
    resolved(
      'd: {e: [1, "${f}"]}\nf: 2.5\ng: ["${seen:a, 12, 1.5, true, null, [1, {k: x}], ${d}, 9007199254740993}"]\n',
      {
        resolvers: { seen },
      },
    )
    const [args = []] = calls
    expect(args.slice(0, -1)).toEqual([
      'a',
      12,
      1.5,
      true,
      null,
      [1, { k: 'x' }],
      { e: [1, 2.5] },
      9007199254740993n,
    ])
    expect(args.at(-1)).toMatchObject({ path: 'g[0]' })
  })

  test.each([
    ['x', 'x'],
    ['trueish', 'trueish'],
    ['True', true],
    ['FALSE', false],
    ['Null', null],
    ['nAn', Number.NaN],
    ['Inf', Number.POSITIVE_INFINITY],
    ['info', 'info'],
    ['nan-1', 'nan-1'],
    ['__proto__', '__proto__'],
  ])('%s alone is read as in a list', (written, value) => {
    const given: unknown[] = []
    const resolvers = { r: (...args: unknown[]) => given.push(args[0]) }
    resolved(`a: \${r:${written}}\nb: "\${r:[${written}]}"\n`, { resolvers })
    expect(given).toEqual([value, [value]])
  })

  test('hold what is resolved, also inside of lists and maps', () => {
    const resolvers = { same: (value: unknown) => value }
    const text = 'd: {e: "${..f}", g: "${.e}"}\nf: 1\na: "${same:[${d}, {k: ${d}}, [${d.e}]]}"\n'
    const d = { e: 1, g: 1 }
    expect(resolved(text, { resolvers })).toMatchObject({ a: [d, { k: d }, [1]] })
  })

  test.each([
    ['12', 12, 12n],
    ['1.5', 1.5, 1.5],
    ['-0.0', -0, -0],
    ['a text that looks like an interpolation', '${x}', '${x}'],
    ['null', null, null],
    ['a Value', { kind: 'scalar', value: 10 }, 10],
  ])('%s is taken', (_, answer, value) => {
    const root = resolveAll(parseYaml('a: ${r:}\n'), { resolvers: { r: () => answer } })
    expect(root.kind === 'map' && root.entries.get('a')).toMatchObject({ kind: 'scalar', value })
  })

  test('maps and lists are values as a whole, as in OmegaConf; a Value has places inside', () => {
    const resolvers = { plain: () => ({ x: ['${a}'] }), whole: () => parseYaml('x: {y: "${a}"}\n') }
    expect(resolved('a: 1\nb: ${plain:}\n', { resolvers })).toEqual({ a: 1, b: { x: ['${a}'] } })
    expect(() => resolved('a: 1\nb: ${plain:}\nc: ${b.x}\n', { resolvers })).toThrow(/is not a container/)
    expect(resolved('a: 1\nb: ${whole:}\nc: ${b.x.y}\n', { resolvers })).toMatchObject({
      b: { x: { y: 1 } },
      c: 1,
    })
  })

  test('keys such as __proto__ stay keys', () => {
    const answer: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}')
    const found = resolved('a: ${r:}\n', { resolvers: { r: () => answer } })
    expect(Object.keys((found as { a: object }).a)).toEqual(['__proto__', 'constructor'])
    expect('polluted' in {}).toBe(false)
  })

  const circle: unknown[] = []
  circle.push(circle)
  test.each([
    ['nothing', undefined, /undefined: answer null/],
    ['a function', () => 1, /a function/],
    ['an instance', new URL('http://localhost'), /a URL/],
    ['a circle', circle, /in a circle/],
  ])('%s is refused with its place', (_, answer, message) => {
    const error = errorOf('x: {y: "${r:}"}\n', { resolvers: { r: () => answer } })
    expect(error).toMatchObject({
      code: 'INTERPOLATION_UNRESOLVED',
      class: 'InterpolationResolutionError',
      path: 'x.y',
      message: expect.stringMatching(message),
    })
  })

  test('what a resolver throws is the cause, at the place where it was written', () => {
    const cause = new Error('the disk is on fire')
    const resolvers = {
      r: () => {
        throw cause
      },
    }
    const error = errorOf('a: 1\nb: {c: "${r:}"}\n', { resolvers })
    expect(error).toMatchObject({
      path: 'b.c',
      cause,
      message: expect.stringMatching(/^the resolver 'r' failed: the disk is on fire\n {2}at .*:2:8$/),
    })
    expect(error).toMatchObject({ origin: { kind: 'file', line: 2 } })
  })

  test('too few arguments are told', () => {
    const resolvers = { r: (key: string, { path }: ResolverContext) => key + path }
    expect(() => resolved('a: ${r:}\n', { resolvers })).toThrow(/'r' takes 1 arguments or more, not 0/)
  })
})

describe('select', () => {
  const resolvers: Resolvers = { look: (path: string, { select }: ResolverContext) => select(path) ?? null }

  test('finds from the root, and with dots from where the interpolation stands', () => {
    const text =
      'a: {b: {c: "${look:..x}", d: "${look:.e}", e: 3, f: "${look:a.x}", g: "${look:a.b.none}"}, x: "${y}"}\ny: 5\n'
    expect(resolved(text, { resolvers })).toEqual({
      a: { b: { c: 5, d: 3, e: 3, f: 5, g: null }, x: 5 },
      y: 5,
    })
  })

  test('is refused where answers are cached, and after an await', async () => {
    const cached = {
      look: { resolve: (path: string, { select }: ResolverContext) => select(path), useCache: true },
    }
    expect(() => resolved('a: ${look:b}\nb: 1\n', { resolvers: cached })).toThrow(
      /with useCache cannot select/,
    )
    const late = {
      look: async (path: string, { select }: ResolverContext) => {
        await Promise.resolve()
        return select(path)
      },
    }
    await expect(settled('a: ${look:b}\nb: 1\n', { resolvers: late })).rejects.toThrow(
      /before its first await/,
    )
  })
})

test.each(['', 'a b', '1a', 'a.', '.a', 'a..b', 'é', 'a:b', '__proto__ '])(
  '%j is no name of a resolver',
  (name) => {
    const options = { resolvers: { [name]: () => 1 } }
    expect(() => new Resolution(withWholeResolution(options))).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  },
)

test('neither OmegaConf’s own resolvers nor anything but functions can be given', () => {
  expect(() => new Resolution(withWholeResolution({ resolvers: { 'oc.env': () => 1 } }))).toThrow(
    /OmegaConf's own/,
  )
  const wrong: unknown = { r: 1, s: { resolve: 2 }, t: { resolve: () => 1, useCache: 'yes' } }
  for (const [name, resolver] of Object.entries(wrong as Resolvers)) {
    expect(() => new Resolution(withWholeResolution({ resolvers: { [name]: resolver } }))).toThrow(
      /must be a function/,
    )
  }
})

describe('how often a resolver is called', () => {
  // What OmegaConf 2.3.1 answers with a resolver that counts its calls.
  const text = `b: \${a}
a: \${cnt:}
c: \${a} \${a}
d: ['\${a}', '\${cnt:}']
e: \${d}
f: \${cnt:1}
g: '\${cnt: 1}'
h: \${cnt:"1"}
i: \${cnt:\${f}}
j: \${cnt:\${f}}
k: '\${cnt: [1, 2] , x }'
l: \${cnt:[1,2],x}
m: '\${cnt:[1, 2],x}'
`
  const counted = (useCache: boolean, options: ResolveOptions = {}): Resolution => {
    let calls = 0
    return new Resolution(
      withWholeResolution({ ...options, resolvers: { cnt: { resolve: () => ++calls, useCache } } }),
    )
  }

  test('as OmegaConf.to_container: for each interpolation that leads to it', () => {
    const perReference = [1, 2, '3 4', [5, 6], [7, 8], 9, 10, 11, 13, 15, 16, 17, 18]
    expect(values(counted(false).content(new Place(parseYaml(text))))).toEqual(perReference)
  })

  test('as OmegaConf.resolve: not again once the value is in its place', () => {
    const inPlace = [1, 2, '2 2', [2, 3], [2, 3], 4, 5, 6, 7, 8, 9, 10, 11]
    const resolution = counted(false)
    const root = new Place(parseYaml(text))
    expect(values(resolution.all(root))).toEqual(inPlace)
    expect(values(resolution.content(root)).slice(1)).toEqual(inPlace.slice(1))
  })

  test('with useCache once for arguments written alike', () => {
    const once = [1, 1, '1 1', [1, 1], [1, 1], 2, 2, 3, 4, 4, 5, 6, 5]
    for (const how of ['content', 'all'] as const) {
      expect(values(counted(true)[how](new Place(parseYaml(text))))).toEqual(once)
    }
  })

  test('with strict semantics once where it is written', () => {
    const once = [1, 1, '1 1', [1, 2], [1, 2], 3, 4, 5, 6, 7, 8, 9, 10]
    expect(values(counted(false, { semantics: 'strict' }).content(new Place(parseYaml(text))))).toEqual(once)
  })

  test('a cache is shared, and a copy goes its own way', () => {
    const cache = new ResolverCache()
    let calls = 0
    const resolvers = { cnt: { resolve: () => ++calls, useCache: true } }
    const answer = (from: ResolverCache, written: string): unknown =>
      resolved(`a: \${cnt:${written}}\n`, { resolvers, cache: from })
    expect(answer(cache, 'x')).toEqual({ a: 1 })
    const copy = cache.copy()
    expect([answer(copy, 'x'), answer(copy, 'y'), answer(cache, 'y')]).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
  })
})

function resolved(text: string, options: ResolveOptions): unknown {
  return plainView(resolveAll(parseYaml(text), options))
}

async function settled(text: string, options: ResolveOptions): Promise<void> {
  await new Resolution(withWholeResolution(options)).settle(new Place(parseYaml(text)))
}

function values(root: Value): unknown[] {
  return Object.values(plainView(root) as object)
}

function errorOf(text: string, options: ResolveOptions): unknown {
  try {
    return resolveAll(parseYaml(text, { source: 'memory://', config: 'config' }), options)
  } catch (error) {
    return error
  }
}

test('below what oc.create makes of null there is nothing, as below a null that is written there is no place', () => {
  const root = (written: string, path: string): Value =>
    parseYaml(`a: ${written}\nnested: {key: "\${a}"}\nl: "\${${path}}"\n`)
  for (const path of ['a.b', 'a.b.c', 'a[0]', 'nested.key.b']) {
    expect(() => selectIn(root("'${oc.create:null}'", path), 'l')).toThrow(
      expect.objectContaining({ class: 'InterpolationKeyError' }),
    )
    for (const written of ['null', "'${oc.decode:null}'"]) {
      expect(() => selectIn(root(written, path), 'l')).toThrow(
        expect.objectContaining({ class: 'InterpolationResolutionError' }),
      )
    }
  }
  expect(selectIn(root("'${oc.create:null}'", 'oc.select:a.b,7'), 'l')).toMatchObject({ value: 7n })
  expect(selectIn(root("'${oc.create:null}'", 'a'), 'l')).toBeUndefined()
})
