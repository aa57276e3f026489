import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Place } from '../value/place.ts'
import { hasSecret, secret } from '../value/secret.ts'
import { map, scalar, type Value } from '../value/value.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import type { ResolveOptions } from './options.ts'
import { Resolution } from './resolve.ts'
import { withWholeResolution } from './whole.ts'

const password = 'hunter2-p4ss'
const resolvers = {
  upper: (value: unknown) => ({ upper: textIn(value).toUpperCase() }),
  throws: (text: string) => {
    throw new Error(`cannot use ${text}`, { cause: text })
  },
  rejects: (text: string) => Promise.reject(new Error(`cannot use ${text}`)),
  answers: () => secret(password),
  within: () => ({ user: 'u', password: secret(password) }),
  select: (path: string, context: { select: (path: string) => unknown }) => context.select(path),
}

/** Interpolations that take from `pw`, the password, or from `key`, a secret that names `public`. */
const tainting = [
  '${pw}',
  'x ${pw}',
  '${pw}${public}',
  '${${key}}',
  '${..d.${key}}',
  '${maps.${mapkey}}',
  "${oc.decode:'${pw}'}",
  '${oc.decode:${pw}}',
  "${oc.create:'{k: ${pw}}'}",
  '${oc.create:[1, ${pw}]}',
  '${oc.select:none,${pw}}',
  '${oc.select:${key}}',
  '${oc.env:NONE,${pw}}',
  '${oc.env:PASSWORD}',
  '${oc.dict.values:secrets}',
  '${upper:${pw}}',
  '${upper:[${pw}]}',
  '${upper:{k: ${pw}}}',
  '${answers:}',
  '${within:}',
  '${select:secrets}',
  "${oc.deprecated:pw,'use ${pw}'}",
] as const

/** Interpolations that fail with a secret in their hands. */
const failing = [
  '${${pw}}',
  '${d.${pw}.x}',
  '${d[${pw}]}',
  '${${pw}:1}',
  '${throws:${pw}}',
  '${rejects:${pw}}',
  '${throws:[1, ${pw}]}',
  '${oc.env:${pw}}',
  '${oc.select:${pw}.${}}',
  "${oc.select:'public.${pw}'}.${${pw}}",
  "${oc.decode:'\\${ ${pw}'}",
  "${oc.decode:'[${pw}'}",
  "${oc.create:'{${pw}'}",
  '${oc.create:${pw}}',
  '${oc.dict.keys:${pw}}',
  '${oc.dict.values:d.${pw}}',
  '${oc.deprecated:${pw}}',
  '${upper:${pw},${none.${pw}}}',
  '${oc.create:{${pw}: 1}}',
  '${select:${pw}.x}',
  '${secrets.pw.${pw}}',
] as const

function rootOf(text: string): Value {
  const rest = parseYaml('d: {public: 1}\npublic: [1, 2]\nmaps: {public: {x: "${public}"}}\n')
  if (rest.kind !== 'map') throw new TypeError('no map')
  return map([
    ...rest.entries,
    ['pw', secret(password)],
    ['key', secret('public')],
    ['mapkey', secret('public')],
    ['secrets', map([['pw', scalar('${pw}')]])],
    ['it', map([['x', scalar(text)]])],
  ])
}

function resolutionOf(warnings: string[] = []): Resolution {
  const options: ResolveOptions = {
    resolvers,
    environment: (name) => (name === 'PASSWORD' ? password : undefined),
    secretEnvironment: (name) => name === 'PASSWORD',
    warn: (message) => warnings.push(message),
  }
  return new Resolution(withWholeResolution(options))
}

describe('a value made from a secret is secret', () => {
  test.each(tainting)('%s', (text) => {
    const warnings: string[] = []
    const root = new Place(rootOf(text))
    const value = resolutionOf(warnings).all(root)
    const found = value.kind === 'map' ? value.entries.get('it') : undefined
    expect(found !== undefined && hasSecret(found)).toBe(true)
    expect(shown(found) + warnings.join()).not.toContain(password)
    expect(shown(found).toLowerCase()).not.toContain(password.toLowerCase())
  })
})

describe('what is not made from one is not', () => {
  test.each(['${public}', '${maps}', '${oc.env:HOME,x}', '${upper:a}', '${oc.dict.keys:secrets}'])(
    '%s',
    (text) => {
      const value = resolutionOf().all(new Place(rootOf(text)))
      const found = value.kind === 'map' ? value.entries.get('it') : undefined
      expect(found !== undefined && hasSecret(found)).toBe(false)
    },
  )
})

describe('an error tells nothing of a secret', () => {
  test.each(failing)('%s', async (text) => {
    const root = new Place(rootOf(text))
    const resolution = resolutionOf()
    const errors = [
      await resolution.settle(root).catch((error: unknown) => error),
      thrown(() => resolution.all(root)),
      thrown(() => resolution.content(root)),
    ]
    expect(errors.some((error) => error instanceof Error)).toBe(true)
    for (const error of errors) expect(shown(error).toLowerCase()).not.toContain(password)
  })
})

test('no flow of random interpolations shows a secret', () => {
  const expression = fc.constantFrom(...tainting, ...failing, '${it.y}', '${.y}', '${it}', 'x', '???')
  fc.assert(
    fc.property(expression, expression, expression, (x, y, z) => {
      const root = map([
        ...(rootOf(x) as Value & { kind: 'map' }).entries,
        [
          'it',
          map([
            ['x', scalar(x)],
            ['y', scalar(y + z)],
            ['z', scalar(z)],
          ]),
        ],
      ])
      const resolution = resolutionOf()
      for (const key of ['x', 'y', 'z']) {
        const place = new Place(root).child('it')?.child(key)
        if (place === undefined) throw new TypeError('no place')
        const result = thrown(() => resolution.content(resolution.dereference(place)))
        expect(shown(result).toLowerCase()).not.toContain(password)
      }
    }),
    { numRuns: 500 },
  )
})

/** All that a log could show of it. */
function shown(value: unknown): string {
  const error = value instanceof Error ? `${value.stack ?? ''}${String(value)}` : ''
  return (
    error +
    inspect(value, { depth: 20, getters: true, showHidden: true }) +
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'bigint' ? String(each) : each instanceof Map ? [...each] : each,
    )
  )
}

function textIn(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'object' && value !== null ? Object.values(value).map(textIn).join() : String(value)
}

function thrown(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return error
  }
}
