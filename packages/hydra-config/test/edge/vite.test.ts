import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { eventually } from '@loadbearing/harness/faults'
import { compose, fromMemory } from '@loadbearing/hydra-config'
import { build, createServer, type InlineConfig } from 'vite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HydraConfigPluginOptions, hydraConfig } from '../../src/adapters/vite.ts'
import { runAsWorker } from './worker-context.ts'

const home = join(import.meta.dirname, '../..')
let root: string

beforeEach(() => {
  // Below the package, where a project has its node_modules, and not among the sources, which other tests read meanwhile.
  mkdirSync(join(home, '.programs'), { recursive: true })
  root = realpathSync(mkdtempSync(join(home, '.programs', 'vite-')))
  mkdirSync(join(root, 'node_modules/@loadbearing'), { recursive: true })
  symlinkSync(home, join(root, 'node_modules/@loadbearing/hydra-config'))
  put('conf/config.yaml', 'defaults:\n- db: pg\n')
  put('conf/db/pg.yaml', 'port: 1\n')
  put('conf/db/mysql.yaml', 'port: 2\n')
  mkdirSync(join(root, 'conf/cache'))
})

afterEach(() => rmSync(root, { recursive: true }))

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function configOf(options: HydraConfigPluginOptions = {}): InlineConfig {
  return {
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [hydraConfig(options)],
    resolve: { conditions: ['@loadbearing/source'] },
    ssr: {
      resolve: { conditions: ['@loadbearing/source'], externalConditions: ['@loadbearing/source'] },
      noExternal: true,
    },
  }
}

async function built(options?: HydraConfigPluginOptions): Promise<string> {
  const output = await build({
    ...configOf(options),
    build: {
      write: false,
      minify: false,
      lib: { entry: join(root, 'main.ts'), formats: ['iife'], name: 'bundle' },
    },
  })
  const [first] = [output].flat()
  if (first === undefined || !('output' in first)) throw new Error('nothing was built')
  return first.output[0].code
}

async function composed(script: string, overrides: readonly string[] = []): Promise<unknown> {
  const { run } = runAsWorker(script)
  if (typeof run !== 'function') throw new TypeError('run is no function')
  return JSON.parse(String(await run(overrides)))
}

test('conf/ is built into the bundle', async () => {
  put(
    'main.ts',
    `import { compose } from '@loadbearing/hydra-config'
     import source from 'virtual:hydra-config'
     export const run = async (overrides) => JSON.stringify((await compose({ source, config: 'config', overrides })).value)`,
  )
  const script = await built({ dts: 'src/conf.d.ts' })
  expect(await composed(script)).toEqual({ db: { port: 1 } })
  expect(await composed(script, ['db=mysql', '+a.b=${db.port}'])).toEqual({ db: { port: 2 }, a: { b: 2 } })
  const types = readFileSync(join(root, 'src/conf.d.ts'), 'utf8')
  expect(types).toContain('declare module "virtual:hydra-config"')
  expect(types).toContain('export type Config = "config"')
  expect(types).toContain('readonly "db": "mysql" | "pg"')
  expect(types).toContain('readonly "cache": never')
})

test('import.meta.glob is a source, eager or not', async () => {
  for (const eager of [true, false]) {
    put(
      'main.ts',
      `import { compose, fromGlob } from '@loadbearing/hydra-config'
       const files = import.meta.glob('./conf/**/*.yaml', { query: '?raw', import: 'default', eager: ${eager} })
       export const run = async (overrides) =>
         JSON.stringify((await compose({ source: fromGlob(files, './conf'), config: 'config', overrides })).value)`,
    )
    expect(await composed(await built(), ['db=mysql'])).toEqual({ db: { port: 2 } })
  }
})

test('a config that is no YAML fails the build, by name', async () => {
  put('main.ts', `export { default } from 'virtual:hydra-config'`)
  put('conf/db/pg.yaml', 'port: [\n')
  await expect(built()).rejects.toThrow(/conf\/db\/pg\.yaml: .*line/)
  await expect(built({ dir: 'elsewhere' })).rejects.toThrow(/there is no directory .*elsewhere/)
})

test.each([{ dir: '' }, { dir: 7 }, { module: '' }, { dts: false }])('%j is refused', (options) => {
  expect(() => Reflect.apply(hydraConfig, undefined, [options])).toThrow(/must be a string/)
})

const everyKind = `# @package _global_
base: &base {a: 1, b: 1.0, c: -0.0, d: .nan, e: -.inf, f: 1e3, g: 0x10, h: 9007199254740993}
"é \\u2028 \\0": [yes, null, ~, "", '\${base.a}', [[]], {}]
merged: {<<: *base, a: [*base]}
1: one
2.5: two
true: three
__proto__: {x: 1}
text: |
  two
  lines
bytes: !!binary aGVsbG8=
`

test('what the bundle holds is what the texts are, places included, and no YAML is read', async () => {
  put('conf/config.yaml', 'defaults:\n- every\n- _self_\n')
  put('conf/every.yaml', everyKind)
  put('conf/empty.yaml', '')
  put(
    'main.ts',
    `import { compose, explain, toYAML, treeOf } from '@loadbearing/hydra-config/edge'
     import source from 'virtual:hydra-config'
     export const run = async (overrides) => {
       const found = await compose({ source, config: 'config', overrides })
       const keys = [...treeOf(found).raw.entries.keys()].filter((key) => typeof key === 'string')
       const told = keys.map((key) => explain(found, '[' + key + ']'))
       return JSON.stringify({ yaml: toYAML(found), told }, (_, value) => typeof value === 'bigint' ? value + 'n' : value)
     }`,
  )
  const script = await built()
  expect(script).not.toContain('BlockReader')
  const files = { 'config.yaml': 'defaults:\n- every\n- _self_\n', 'every.yaml': everyKind }
  for (const overrides of [[], ['++base.a=2']]) {
    const whole = await compose({ source: fromMemory(files), config: 'config', overrides })
    const { raw } = whole.tree
    if (raw.kind !== 'map') throw new TypeError('no map')
    const keys = [...raw.entries.keys()].filter((key) => typeof key === 'string')
    const told = keys.map((key) => whole.explain(`[${key}]`))
    const expected = JSON.stringify({ yaml: whole.toYAML(), told }, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
    expect(await composed(script, overrides)).toEqual(JSON.parse(expected))
  }
})

test('a change of a config, a new one and one that goes update whoever imports them', async () => {
  put(
    'main.ts',
    `import { compose } from '@loadbearing/hydra-config/edge'
     import source from 'virtual:hydra-config'
     const { value } = await compose({ source, config: 'config' })
     export const ports = { ...value, names: [...(await source.files()).keys()] }`,
  )
  const server = await createServer({ ...configOf(), server: { middlewareMode: true, ws: false } })
  try {
    const ports = async (): Promise<{ db: { port: number }; names: string[] }> =>
      (await server.ssrLoadModule('/main.ts'))['ports']
    expect((await ports()).db.port).toBe(1)
    put('conf/db/pg.yaml', 'port: 10\n')
    await eventually(async () => (await ports()).db.port === 10, { within: '20s' })
    put('conf/db/sqlite.yaml', 'port: 0\n')
    await eventually(async () => (await ports()).names.includes('db/sqlite.yaml'), { within: '20s' })
    rmSync(join(root, 'conf/db/sqlite.yaml'))
    await eventually(async () => !(await ports()).names.includes('db/sqlite.yaml'), { within: '20s' })
  } finally {
    await server.close()
  }
})
