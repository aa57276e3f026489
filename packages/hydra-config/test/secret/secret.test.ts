import { inspect } from 'node:util'
import {
  any,
  type ComposeOptions,
  type Composition,
  compose,
  fromMemory,
  instantiate,
  isHydraConfigError,
  listOf,
  registry,
  secret,
  secretOf,
  str,
  structured,
} from '@loadbearing/hydra-config'
import { defineApp } from '@loadbearing/hydra-config/app'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type MemoryPlatform, memoryPlatform } from '../conformance/memory-platform.ts'

/** How a secret comes into a configuration, at `db.password`. */
interface Way {
  readonly name: string
  readonly password: string
  readonly options: Omit<ComposeOptions, 'source' | 'config'>
  readonly environment?: Readonly<Record<string, string>>
}

const ways: readonly ((text: string) => Way)[] = [
  (text) => ({
    name: 'a resolver',
    password: '${vault:db}',
    options: { resolvers: { vault: () => secret(text) } },
  }),
  (text) => ({
    name: 'a resolver that answers later',
    password: '${vault:db}',
    options: { resolvers: { vault: () => Promise.resolve(secret(text)) } },
  }),
  (text) => ({
    name: 'a variable',
    password: '${oc.env:DB_PASSWORD}',
    environment: { DB_PASSWORD: text },
    options: { secrets: { environment: ['*_PASSWORD'] } },
  }),
  (text) => ({
    name: 'a path, in a file',
    password: JSON.stringify(text),
    options: { secrets: { paths: ['**.password'] } },
  }),
  (text) => ({
    name: 'a path, in an override',
    password: 'none',
    options: { secrets: { paths: ['db.password'] }, overrides: [`db.password='${text}'`] },
  }),
  (text) => ({
    name: 'a path, in a dict of an override',
    password: 'none',
    options: { secrets: { paths: ['db.*'] }, overrides: [`db={password: '${text}'}`] },
  }),
  (text) => ({
    name: 'a mark of zod',
    password: JSON.stringify(text),
    options: {
      schema: z.looseObject({ db: z.looseObject({ password: z.string().meta({ secret: true }) }) }),
    },
  }),
  (text) => ({
    name: 'a structured config',
    password: 'none',
    options: {
      schema: structured('App', {
        db: structured('DB', { host: str(), port: str(), password: secretOf(str()) }),
        url: str(),
        part: str(),
        list: listOf(str()),
        copy: any(),
        broken: str(),
      }),
      overrides: [`db.password='${text}'`],
    },
  }),
]

const files = (password: string): Record<string, string> => ({
  'config.yaml': [
    'db:',
    '  host: h',
    '  port: "5"',
    `  password: ${password.startsWith('$') ? `"${password}"` : password}`,
    'url: "postgres://u:${db.password}@${db.host}"',
    'part: "${oc.select:db.password,x}"',
    'list: ["${db.password}", "${url}"]',
    'copy: "${db}"',
    'broken: ok',
    '',
  ].join('\n'),
})

// Letters enough that no output holds them by accident; and what quoting and escaping could tear apart.
const secretText = fc
  .tuple(fc.stringMatching(/^[A-Za-z0-9]{12}$/), fc.stringMatching(/^[A-Za-z0-9$#%&:/@ "]{0,6}$/))
  .map(([core, more]) => ({ core, text: `${core}${more.replaceAll('${', '')}.` }))

test('in 50 flows no output holds the secret', async () => {
  const outputs: string[] = []
  const leaks: string[] = []
  let flows = 0
  for (const { core, text } of fc.sample(secretText, { numRuns: 7, seed: 20_261_121 })) {
    for (const way of ways) {
      const made = way(text)
      const shown = await outputsOf(made)
      leaks.push(...leaksIn(shown, core).map((leak) => `${made.name}: ${leak}`))
      outputs.push(...shown)
      flows++
    }
  }
  expect(leaks).toEqual([])
  expect(flows).toBeGreaterThanOrEqual(50)
  // It was not left out, but redacted.
  expect(outputs.filter((output) => output.includes('***')).length).toBeGreaterThan(flows * 10)
})

test('the program gets the secret, and a dump that asks for it', async () => {
  for (const way of ways) {
    const made = way('open sesame')
    const composition = await composed(made)
    expect(composition.value, made.name).toMatchObject({ db: { password: 'open sesame' } })
    expect(composition.toYAML({ resolve: true, secrets: 'reveal' })).toContain('open sesame')
  }
})

/** What stands around a secret, where it is. */
function leaksIn(outputs: readonly string[], text: string): readonly string[] {
  return outputs.flatMap((output) => {
    const at = output.indexOf(text)
    return at === -1 ? [] : [output.slice(Math.max(0, at - 160), at + text.length + 20)]
  })
}

async function composed({ password, options, environment }: Way): Promise<Composition> {
  return compose({
    source: fromMemory(files(password)),
    config: 'config',
    environment: (name) => environment?.[name],
    ...options,
  })
}

/** Everything that anybody could print, log or save. */
async function outputsOf(way: Way): Promise<readonly string[]> {
  const composition = await composed(way)
  const other = await compose({
    source: fromMemory({ 'config.yaml': 'db: {password: other}\n' }),
    config: 'config',
  })
  const paths = ['db', 'db.password', 'url', 'part', 'list', 'copy', 'list[0]', 'copy.password'] as const
  const provenances = paths.flatMap((path) => attempt(() => composition.explain(path)))
  const printed = [
    composition,
    composition.value,
    composition.tree,
    composition.tree.raw,
    composition.tree.resolved(),
    ...paths.flatMap((path) => attempt(() => composition.tree.at(path))),
    ...provenances,
    composition.diff(other),
    other.diff(composition),
    ...(await failuresOf(way, composition)),
  ]
  return [
    composition.toYAML(),
    composition.toYAML({ resolve: true }),
    composition.toYAML({ resolve: true, package: 'db' }),
    composition.digest(),
    ...printed.flatMap((each) => [
      inspect(each, { depth: 20, showHidden: true, getters: true, maxStringLength: null }),
      jsonOf(each),
    ]),
    ...(await eventsOf(way)),
    ...(await runsOf(way)),
  ]
}

function attempt<T>(ask: () => T): readonly (T | Error)[] {
  try {
    return [ask()]
  } catch (error) {
    if (isHydraConfigError(error)) return [error]
    throw error
  }
}

function jsonOf(value: unknown): string {
  const seen = new WeakSet<object>()
  return (
    JSON.stringify(value, (_, each: unknown) => {
      if (typeof each === 'bigint') return String(each)
      if (typeof each !== 'object' || each === null) return each
      if (seen.has(each)) return 'seen'
      seen.add(each)
      if (each instanceof Map) return [...each]
      return each instanceof Error ? [Object.entries(each), each.message, each.stack, each.cause] : each
    }) ?? ''
  )
}

/** Errors of every stage that sees the secret. */
async function failuresOf(way: Way, { tree }: Composition): Promise<readonly unknown[]> {
  const schema = v.object({
    db: v.object({ password: v.number(), copy: v.optional(v.picklist(['a'])) }),
    url: v.number(),
  })
  const { options } = way
  const secrets = options.secrets ?? { paths: ['db.password'] }
  const overrides = (...more: string[]): Way => ({
    ...way,
    options: { ...options, secrets, overrides: [...(options.overrides ?? []), ...more] },
  })
  const [given = "db.password='x'"] = options.overrides ?? []
  return [
    await failureOf(composed({ ...way, options: { ...options, secrets, schema } })),
    await failureOf(composed(overrides(`${given} `.replace('=', '==')))),
    await failureOf(composed(overrides(`+${given}`))),
    await failureOf(composed(overrides(`~${given.replace(/'\}?$/, "x'$&")}`))),
    await failureOf(composed(overrides(`${given.replace("='", '=[').replace(/'$/, ']')},b`))),
    await failureOf(composed(overrides('broken=${oc.decode:${url}}', 'db=[1]'))),
    ...attempt(() => tree.select('url.x')),
    ...attempt(() => instantiate(tree.at('copy'), registry({}))),
    ...attempt(() => instantiate(tree.at('db'), registry({}), { kwargs: { _target_: 'none' } })),
    ...attempt(() =>
      instantiate(
        tree.at('db'),
        registry({
          connect: (db: object) => {
            throw new Error(`no ${Object.values(db).join(', ')}`)
          },
        }),
        { kwargs: { _target_: 'connect' } },
      ),
    ),
  ]
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    if (isHydraConfigError(error)) return error
    throw error
  }
}

async function eventsOf(way: Way): Promise<readonly string[]> {
  const events: unknown[] = []
  await composed({ ...way, options: { ...way.options, onEvent: (event) => void events.push(event) } })
  return events.map((event) => inspect(event, { depth: 20 }))
}

/** What the command line prints and writes: a run, its `.hydra/`, a multirun and its directories. */
async function runsOf({ password, options, environment }: Way): Promise<readonly string[]> {
  const { overrides = [], resolvers, secrets, schema } = options
  const app = defineApp(
    {
      config: 'config',
      source: fromMemory(files(password)),
      ...(resolvers === undefined ? {} : { resolvers }),
      ...(secrets === undefined ? {} : { secrets }),
      ...(schema === undefined ? {} : { schema }),
    },
    () => undefined,
  )
  const outputs: string[] = []
  for (const argv of [
    [],
    ['--cfg', 'job'],
    ['--cfg', 'all'],
    ['--cfg', 'job', '--resolve', '--package', 'db'],
    ['--info', 'all'],
    ['--help'],
    ['--explain', 'db.password'],
    ['--multirun', '+n=1,2', "hydra.sweep.subdir='${hydra.job.override_dirname}'"],
    ['+nope.x=${', 'db.nope=1'],
  ]) {
    const platform: MemoryPlatform = memoryPlatform('/app', {}, (name) => environment?.[name])
    await app.run([...overrides, ...argv], platform)
    outputs.push(platform.stdout, platform.stderr)
    for (const [path, text] of platform.written) outputs.push(path, text)
  }
  return outputs
}
