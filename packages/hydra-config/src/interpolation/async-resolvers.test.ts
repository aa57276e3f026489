import { describe, expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { Place } from '../value/place.ts'
import { plainView } from '../value/plain.ts'
import { secret } from '../value/secret.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import type { ResolveOptions } from './options.ts'
import { Resolution } from './resolve.ts'
import type { ResolverContext, ResolverFunction } from './resolver.ts'
import { ResolverCache } from './resolver-cache.ts'
import { withWholeResolution } from './whole.ts'

test('the answers of promises are there after settling, and before are a typed error', async () => {
  const { resolution, root } = of('a: ${vault:x}\nb: "<${a}>"\nc: 1\n', {
    vault: async (key: string) => secret(`${key}!`),
  })
  for (const read of [() => resolution.all(root), () => resolution.content(root)]) {
    expect(read).toThrow(expect.objectContaining({ code: 'INTERPOLATION_PENDING' }))
  }
  expect(resolution.select(root, 'c')?.value).toMatchObject({ value: 1n })
  await resolution.settle(root)
  expect(plainView(resolution.all(root))).toEqual({ a: 'x!', b: '<x!>', c: 1 })
})

test('each place is asked once, all at once where they need nothing of each other', async () => {
  const asked: string[] = []
  const waiting: (() => void)[] = []
  const vault = (key: string): Promise<string> => {
    asked.push(key)
    return new Promise((resolve) => waiting.push(() => resolve(`${key}!`)))
  }
  const text =
    'a: ${vault:a}\nb: "${vault:b} ${vault:c}"\nc: ["${a}", "${vault:${a}}", {d: "${vault:${vault:e}}"}]\nf: ${a}${b}\n'
  const { resolution, root } = of(text, { vault })
  const settled = resolution.settle(root)
  expect(asked).toEqual(['a', 'b', 'c', 'e'])
  const answerAll = (): void => waiting.splice(0).forEach((answer) => answer())
  answerAll()
  await eventually(() => asked.length === 6)
  expect(asked.slice(4)).toEqual(['a!', 'e!'])
  answerAll()
  await settled
  expect(plainView(resolution.all(root))).toEqual({
    a: 'a!',
    b: 'b! c!',
    c: ['a!', 'a!!', { d: 'e!!' }],
    f: 'a!b! c!',
  })
  expect(asked).toHaveLength(6)
})

test('with useCache one promise serves all that write the same', async () => {
  let calls = 0
  const vault = { useCache: true, resolve: async (key: string) => `${key}${++calls}` }
  const cache = new ResolverCache()
  const { resolution, root } = of('a: ${vault:x}\nb: ${vault:x}\nc: "${vault: x}"\n', { vault }, { cache })
  await resolution.settle(root)
  expect(plainView(resolution.all(root))).toEqual({ a: 'x1', b: 'x1', c: 'x1' })
  const later = of('a: ${vault:x}\n', { vault }, { cache: cache.copy() })
  await later.resolution.settle(later.root)
  expect(plainView(later.resolution.all(later.root))).toEqual({ a: 'x1' })
})

test('a resolver that selects what is awaited is called again when it is there', async () => {
  const seen: unknown[] = []
  const resolvers = {
    vault: async (key: string) => `${key}!`,
    // Whatever it makes of the error, it is called again.
    look: (path: string, { select }: ResolverContext) => {
      try {
        return select(path)
      } catch (error) {
        seen.push(isHydraConfigError(error) && error.code)
        return 'wrong'
      }
    },
    wait: async (path: string, { select }: ResolverContext) => `<${String(select(path))}>`,
  }
  const { resolution, root } = of('a: ${look:c}\nb: ${wait:c}\nc: ${vault:x}\nd: ${wait:b}\n', resolvers)
  await resolution.settle(root)
  expect(plainView(resolution.all(root))).toEqual({ a: 'x!', b: '<x!>', c: 'x!', d: '<<x!>>' })
  expect(seen).toEqual(['INTERPOLATION_PENDING'])
})

test('calls in long texts and in texts that are decoded are told from each other', async () => {
  let calls = 0
  const vault = async (key: string): Promise<string> => `${key}${++calls}`
  const long = `${'x'.repeat(2000)}\${vault:a} \${vault:a}`
  const decoded = "${oc.decode:'\\${vault:b}'} ${oc.decode:'\\${vault:b}'} ${vault:b}"
  const { resolution, root } = of(`l: ${JSON.stringify(long)}\nd: ${JSON.stringify(decoded)}\n`, { vault })
  await resolution.settle(root)
  const value = plainView(resolution.all(root))
  expect(value).toMatchObject({ l: expect.stringMatching(/xa1 a2$/), d: 'b3 b4 b5' })
  expect(calls).toBe(5)
})

test('only what may call a resolver is evaluated while settling', async () => {
  const read: string[] = []
  const environment = (name: string): string => {
    read.push(name)
    return 'vault'
  }
  const vault = async (key: string): Promise<string> => `${key}!`
  const texts = [
    '${oc.env:NOT}',
    '${oc.env:A}${vault:a}',
    '${ vault: ${oc.env:B}}',
    '${${oc.env:C}:c}',
    '${v.${oc.env:D}:d}',
    "${oc.decode:'\\${vault:${oc.env:E}}'}",
    '${oc.create:{x: ${oc.env:F}}}',
    "${oc.select:none,'${vault:g}${oc.env:G}'}",
  ]
  const { resolution, root } = of(
    `a: ${JSON.stringify(texts)}\n`,
    { vault, 'v.vault': vault },
    { environment },
  )
  await resolution.settle(root)
  expect(new Set(read)).toEqual(new Set(['A', 'B', 'C', 'D', 'E', 'F', 'G']))
  expect(plainView(resolution.select(root, 'a[5]')?.value ?? root.value)).toBe('vault!')
})

describe('what goes wrong', () => {
  test('a rejection is told at its place, and ends the others', async () => {
    const cause = new Error('no such secret')
    let ended: unknown
    const resolvers = {
      bad: () => Promise.reject(cause),
      hangs: (context: ResolverContext) =>
        new Promise((_, reject) => {
          context.signal.addEventListener('abort', () => {
            ended = context.signal.reason
            reject(new Error('aborted'))
          })
        }),
    }
    const { resolution, root } = of('a: ${hangs:}\nb: {c: "${bad:}"}\n', resolvers)
    const error = await resolution.settle(root).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'INTERPOLATION_UNRESOLVED',
      class: 'InterpolationResolutionError',
      path: 'b.c',
      origin: { kind: 'file', line: 2 },
      cause,
      message: expect.stringMatching(/^the resolver 'bad' failed: no such secret\n {2}at .*:2:8$/),
    })
    expect(ended).toBe(error)
    expect(() => resolution.all(root)).toThrow(/failed/)
  })

  test('a hanging one ends by the signal', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const { resolution, root } = of(
      'a: ${hangs:}\n',
      { hangs: () => new Promise(() => undefined) },
      { signal: controller.signal },
    )
    const settled = resolution.settle(root)
    controller.abort(reason)
    await expect(settled).rejects.toMatchObject({ code: 'ABORTED', cause: reason })
    await expect(resolution.settle(root)).rejects.toMatchObject({ code: 'ABORTED', cause: reason })
  })

  test('an answer that a configuration cannot hold is told', async () => {
    const { resolution, root } = of('a: ${r:}\n', { r: async () => Symbol('s') })
    await expect(resolution.settle(root)).rejects.toMatchObject({
      path: 'a',
      message: expect.stringContaining('a symbol'),
    })
  })

  test('a cycle through promises is named, and none is left waiting', async () => {
    const resolvers = { wait: async (path: string, { select }: ResolverContext) => select(path) }
    const { resolution, root } = of('a: ${wait:b}\nb: ${wait:a}\n', resolvers)
    await expect(resolution.settle(root)).rejects.toMatchObject({
      code: 'INTERPOLATION_CYCLE',
      message: expect.stringContaining('a → b → a'),
    })
  })

  test('other errors wait until somebody wants the value', async () => {
    const { resolution, root } = of('a: ${vault:x}\nb: ${none}\nc: ${oc.env:NONE}\n', {
      vault: async () => 1,
    })
    await resolution.settle(root)
    expect(resolution.select(root, 'a')?.value).toMatchObject({ value: 1n })
    expect(() => resolution.select(root, 'b')).toThrow(/not found/)
  })
})

function of(
  text: string,
  resolvers: Readonly<Record<string, ResolverFunction | { resolve: ResolverFunction; useCache: boolean }>>,
  options: ResolveOptions = {},
): { resolution: Resolution; root: Place } {
  const root = new Place(parseYaml(text, { source: 'memory://', config: 'config' }))
  return { resolution: new Resolution(withWholeResolution({ ...options, resolvers })), root }
}

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
