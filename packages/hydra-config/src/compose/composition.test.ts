import { describe, expect, test } from 'vitest'
import { fromMemory } from '../source/memory.ts'
import { secret } from '../value/secret.ts'
import { compose } from './compose.ts'
import type { Composition } from './composition.ts'
import { EarlierCompositions } from './earlier.ts'

function composed(text: string, ...overrides: string[]): Promise<Composition> {
  const resolvers = { vault: (key: string) => secret(key) }
  return compose({ source: fromMemory({ 'config.yaml': text }), config: 'config', overrides, resolvers })
}

describe('diff', () => {
  test('tells what is added, removed and changed, with both origins', async () => {
    const before = await composed('a: {b: 1, c: [1, 2]}\nd: x\ne: ${d}\n')
    const after = await composed('a: {c: [1, 3, 4], f: {}}\nd: x\ne: ${d}\n', 'd=y')
    expect(before.diff(after)).toMatchObject([
      { op: 'removed', path: 'a.b', before: { value: 1, origin: { line: 1, column: 8 } } },
      {
        op: 'changed',
        path: 'a.c[1]',
        before: { value: 2 },
        after: { value: 3, origin: { line: 1, column: 12 } },
      },
      { op: 'added', path: 'a.c[2]', after: { value: 4 } },
      { op: 'added', path: 'a.f', after: { value: {} } },
      {
        op: 'changed',
        path: 'd',
        before: { value: 'x' },
        after: { value: 'y', origin: { kind: 'override', index: 0 } },
      },
      {
        op: 'changed',
        path: 'e',
        before: { value: 'x' },
        after: { value: 'y', origin: { line: 3, column: 4 } },
      },
    ])
    expect(before.diff(before)).toEqual([])
  })

  test('sees order of items and kinds of numbers, not the order of keys', async () => {
    const before = await composed('a: 1\nb: {x: 1, y: 2}\nc: [1, 2]\n')
    expect(before.diff(await composed('b: {y: 2, x: 1}\na: 1\nc: [1, 2]\n'))).toEqual([])
    expect(
      before.diff(await composed('a: 1.0\nb: {x: 1, y: 2}\nc: [2, 1]\n')).map(({ path }) => path),
    ).toEqual(['a', 'c[0]', 'c[1]'])
  })

  test('compares secrets and shows none', async () => {
    const changes = (await composed('a: ${vault:one}\n')).diff(await composed('a: ${vault:two}\n'))
    expect(changes).toMatchObject([
      { op: 'changed', path: 'a', before: { value: '***' }, after: { value: '***' } },
    ])
  })
})

describe('digest', () => {
  test('is one of equal values, whatever the order of keys, and of no others', async () => {
    const texts = [
      'a: 1\nb: {x: y}\n',
      'b: {x: y}\na: 1\n',
      'b: {x: "${c}"}\na: 1\n',
      'a: 1.0\nb: {x: y}\n',
      'a: "1"\nb: {x: y}\n',
    ]
    const digests = await Promise.all(texts.map(async (text) => (await composed(`${text}c: y\n`)).digest()))
    const [first, ...others] = digests
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(others.map((digest) => digest === first)).toEqual([true, true, false, false])
    expect(new Set(digests).size).toBe(3)
  })

  test('tells nothing of a secret', async () => {
    const [one, two] = [await composed('a: ${vault:one}\n'), await composed('a: ${vault:two}\n')]
    expect(one.digest()).toBe(two.digest())
  })
})

describe('toYAML', () => {
  const text = 'name: app\ndb: {port: 1, url: "${name}:${.port}", password: "${vault:pw}"}\n'

  test('writes what was composed, or what it leads to', async () => {
    const composition = await composed(text)
    expect(composition.toYAML()).toBe(
      'name: app\ndb:\n  port: 1\n  url: ${name}:${.port}\n  password: ${vault:pw}\n',
    )
    expect(composition.toYAML({ resolve: true })).toBe(
      "name: app\ndb:\n  port: 1\n  url: app:1\n  password: '***'\n",
    )
    expect(composition.toYAML({ resolve: true, secrets: 'reveal' })).toMatch(/password: pw\n$/)
  })

  test('writes one package alone', async () => {
    const composition = await composed(text)
    expect(composition.toYAML({ package: 'db', resolve: true })).toBe(
      "# @package db\nport: 1\nurl: app:1\npassword: '***'\n",
    )
    expect(composition.toYAML({ package: 'db.port' })).toBe('1\n')
    expect(() => composition.toYAML({ package: 'bd' })).toThrow(/did you mean 'db'/)
  })
})

test('a hundred compositions at once do not meet', async () => {
  const source = fromMemory({
    'config.yaml': 'defaults:\n- g: a\n- _self_\nn: 0\nlist: []\nout: ${later:${n}} ${g.name}\n',
    'g/a.yaml': 'name: a\n',
    'g/b.yaml': 'name: b\n',
  })
  const resolvers = { later: async (n: number) => `${await Promise.resolve(n)}!` }
  const jobs = Array.from({ length: 100 }, async (_, n) => {
    const option = n % 2 === 0 ? 'a' : 'b'
    const overrides = [`n=${n}`, `g=${option}`, `+own${n}=${n}`, `list=[${n}]`]
    const { value, explain, choices } = await compose({ source, config: 'config', overrides, resolvers })
    expect(value).toEqual({ g: { name: option }, n, list: [n], out: `${n}! ${option}`, [`own${n}`]: n })
    expect(explain('n').history.map((step) => step.value)).toEqual([0, n])
    expect(choices.get('g')).toBe(option)
  })
  await Promise.all(jobs)
})

test('what an override does not touch is shared, not copied', async () => {
  const source = fromMemory({ 'config.yaml': 'a: {b: {c: 1}}\nd: {e: 2}\n' })
  const earlier = new EarlierCompositions()
  const one = await compose({ source, config: 'config', earlier })
  const other = await compose({ source, config: 'config', earlier, overrides: ['d.e=3'] })
  expect(other.tree.get('a')?.raw).toBe(one.tree.get('a')?.raw)
  expect(one.value).toEqual({ a: { b: { c: 1 } }, d: { e: 2 } })
})

test('a missing value is an error where it is read, and shown as it is', async () => {
  const { value, tree } = await composed('a: {b: "???", c: 1}\nd: ["${a.b}", 2]\n')
  const root = value as { a: { b: unknown; c: number }; d: unknown[] }
  expect([root.a.c, root.d[1]]).toEqual([1, 2])
  expect(() => root.a.b).toThrow(
    expect.objectContaining({
      code: 'MISSING_VALUE',
      path: 'a.b',
      message: expect.stringMatching(/a\.b=<value>.*:1:8$/s),
    }),
  )
  expect(() => root.d[0]).toThrow(/d\[0\] is missing/)
  expect(JSON.stringify(value)).toBe('{"a":{"b":"???","c":1},"d":["???",2]}')
  expect(tree.at('a.b').isMissing).toBe(true)
})

test('a signal ends a composition with ABORTED, before it begins and while a resolver is waited for', async () => {
  const source = fromMemory({ 'config.yaml': 'a: ${hangs:}\n' })
  const reason = new Error('enough')
  const stop = new AbortController()
  const resolvers = {
    hangs: () => {
      queueMicrotask(() => stop.abort(reason))
      return new Promise(() => {})
    },
  }
  const options = { source, config: 'config', resolvers, signal: stop.signal }
  await expect(compose(options)).rejects.toMatchObject({ code: 'ABORTED', cause: reason })
  await expect(compose(options)).rejects.toMatchObject({ code: 'ABORTED', cause: reason })
})

test('a signal ends a composition that waits for a source, whether or not the source heeds it', async () => {
  for (const heeds of [true, false]) {
    const stop = new AbortController()
    const reason = new Error('enough')
    const { promise, reject } = Promise.withResolvers<ReadonlyMap<string, string>>()
    if (heeds) stop.signal.addEventListener('abort', () => reject(stop.signal.reason))
    const source = { path: 'hanging://', files: () => promise }
    const composing = compose({ source, config: 'config', signal: stop.signal })
    stop.abort(reason)
    await expect(composing).rejects.toMatchObject({ code: 'ABORTED', cause: reason })
  }
})
