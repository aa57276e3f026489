import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadConfig } from 'c12'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fromC12 } from '../../src/adapters/c12.ts'
import { fromNodeConfig } from '../../src/adapters/node-config.ts'
import { compose } from '../../src/index.ts'

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hydra-config-'))
})

afterEach(() => rmSync(home, { recursive: true }))

function put(files: Readonly<Record<string, unknown>>): void {
  // Under a new name each time: c12 keeps what it has once imported.
  rmSync(home, { recursive: true })
  home = mkdtempSync(join(tmpdir(), 'hydra-config-'))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true })
    writeFileSync(join(home, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
}

/** Objects whose keys meet often, so that layers do. */
const objects = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.string(),
    fc.constantFrom('${a}', '\\${a}', 'yes', '1_000', '12:30', '', '~', 'null', '${oc.env:HOME}'),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { maxKeys: 4 }),
})).object

/** As JSON has it: `-0` is 0 there. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

describe('node-config', () => {
  const variables: Readonly<Record<string, string>> = {
    TEXT: 'from ${here}',
    COUNT: '7',
    FLAG: 'true',
    DATA: '{"deep": [1, 2]}',
    EMPTY: '',
  }
  const { Load } = createRequire(import.meta.url)('config/lib/util.js')

  function asNodeConfig(deployment: string, instance: string): unknown {
    const load = new Load({
      configDir: home,
      nodeEnv: [deployment],
      hostName: 'box.example.org',
      appInstance: instance,
      skipConfigSources: true,
    })
    load.env.lookups = {}
    const before = { ...process.env }
    Object.assign(process.env, variables)
    try {
      load.scan()
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name]
      Object.assign(process.env, before)
    }
    return plain(load.config)
  }

  async function asHere(overrides: readonly string[] = []): Promise<unknown> {
    const source = fromNodeConfig(home, {
      deployment: 'development',
      instance: '2',
      hostname: 'box.example.org',
      environment: (name) => variables[name],
    })
    const environment = (name: string): string | undefined => variables[name]
    const { value } = await compose({ source, config: 'config', overrides, environment })
    return plain(value)
  }

  const names = [
    'default',
    'default-2',
    'production',
    'development',
    'development-2',
    'production-2',
    'box',
    'box-2',
    'box-production',
    'box-development-2',
    'box.example.org',
    'box.example.org-production',
    'local',
    'local-2',
    'local-development',
    'local-production-2',
    'staging',
  ]

  test('random folders compose to what node-config loads, in every deployment', async () => {
    const folders = fc.dictionary(fc.constantFrom(...names), objects, { maxKeys: 8 })
    await fc.assert(
      fc.asyncProperty(folders, fc.constantFrom('development', 'production'), async (folder, deployment) => {
        const files = { development: { own: 1 }, production: {}, ...folder }
        put(Object.fromEntries(Object.entries(files).map(([name, content]) => [`${name}.json`, content])))
        expect(await asHere([`deployment=${deployment}`])).toEqual(asNodeConfig(deployment, '2'))
      }),
      { numRuns: 100 },
    )
  })

  test('variables of the environment that are set are put in, in their formats', async () => {
    put({
      'default.json': { text: 'a', count: 1, kept: { deep: 1 }, 'half-int': 1.5 },
      'custom-environment-variables.json': {
        text: 'TEXT',
        unset: 'NOTHING_OF_THIS_NAME',
        empty: 'EMPTY',
        kept: { other: 'COUNT', gone: { deep: 'NOTHING_OF_THIS_NAME' } },
        count: { __name: 'COUNT', __format: 'number' },
        flag: { __name: 'FLAG', __format: 'boolean' },
        data: { __name: 'DATA', __format: 'json' },
      },
    })
    expect(await asHere()).toEqual(asNodeConfig('development', '2'))
  })

  test('programs and what is no object are refused by name', async () => {
    for (const [files, message] of [
      [{ 'default.js': 'module.exports = {}' }, /default\.js cannot be read here/],
      [{ 'default.json': '{' }, /default\.json is no JSON/],
      [{ 'default.json': [1] }, /default\.json must hold an object/],
      [{ 'default.json': {}, 'default.yaml': 'a: 1' }, /two files of the name default/],
      [{ 'custom-environment-variables.json': { a: 7 } }, /must hold names of variables/],
    ] as const) {
      put(files)
      await expect(asHere()).rejects.toThrow(message)
    }
    await expect(
      compose({ source: fromNodeConfig(join(home, 'nothing')), config: 'config' }),
    ).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    })
  })
})

describe('c12', () => {
  async function asC12(environment: string): Promise<unknown> {
    const { config } = await loadConfig({ cwd: home, name: 'app', envName: environment })
    const own = Object.entries(config).filter(([key]) => !key.startsWith('$'))
    return plain(Object.fromEntries(own))
  }

  async function asHere(environment: string): Promise<unknown> {
    const source = fromC12(home, { name: 'app', environment: 'development' })
    const { value } = await compose({ source, config: 'config', overrides: [`env=${environment}`] })
    return plain(value)
  }

  /** What is an object is one in every layer: see below. */
  const layered = fc.letrec((tie) => ({
    object: fc.record(
      {
        a: fc.oneof(fc.integer(), fc.string()),
        b: fc.oneof(fc.boolean(), fc.constantFrom('${a}', 'yes', '~')),
        c: fc.oneof({ depthSize: 'small' }, fc.constant({}), tie('object')),
        d: fc.oneof({ depthSize: 'small' }, fc.constant({}), tie('object')),
      },
      { requiredKeys: [] },
    ),
  })).object

  const layer = fc
    .record({ own: layered, development: fc.option(layered), production: fc.option(layered) })
    .map(({ own, development, production }) => ({
      ...own,
      ...(development && { $development: development }),
      ...(production && { $env: { production } }),
    }))

  test('random layers compose to what c12 loads, in every environment', async () => {
    await fc.assert(
      fc.asyncProperty(
        layer,
        layer,
        layer,
        fc.constantFrom('development', 'production'),
        async (main, one, two, environment) => {
          put({
            'app.config.json': { ...main, extends: ['./one', './two'] },
            'one/app.config.json': { ...one, extends: '../two/deep' },
            'two/app.config.json': { $production: {}, $development: {}, ...two },
            'two/deep/app.config.json': { deep: true, a: 'deepest', c: { list: [1, 2] } },
          })
          expect(await asHere(environment)).toEqual(await asC12(environment))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('null in a higher layer does not count', async () => {
    put({
      'app.config.json': { a: null, b: { c: null }, extends: './base' },
      'base/app.config.json': { a: 1, b: { c: 2 }, $production: {} },
    })
    expect(await asHere('production')).toEqual(await asC12('production'))
  })

  test('lists differ: c12 puts those of all layers together', async () => {
    put({
      'app.config.json': { a: [2], $production: { b: 1 }, extends: './base' },
      'base/app.config.json': { a: [1] },
    })
    expect(await asC12('production')).toMatchObject({ a: [2, 1] })
    expect(await asHere('production')).toMatchObject({ a: [2] })
  })

  test.each([
    [{}, /there is no app\.config\.json/],
    [{ 'app.config.json': { extends: 'github:user/repository' } }, /extends must name folders/],
    [
      { 'app.config.json': { extends: ['./base', { source: './x' }] }, 'base/app.config.json': {} },
      /extends must name folders/,
    ],
    [{ 'app.config.json': { extends: './missing' } }, /there is no missing\/app\.config\.json/],
    [{ 'app.config.json': { extends: '.' } }, /does one extend itself/],
    [{ 'app.config.yaml': 'a: [' }, /app\.config\.yaml: /],
  ])('%j is refused', async (files, message) => {
    put(files)
    await expect(compose({ source: fromC12(home, { name: 'app' }), config: 'config' })).rejects.toThrow(
      message,
    )
  })
})
