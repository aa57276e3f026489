import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compose as composeWhole, fromMemory } from '@loadbearing/hydra-config'
import { plainYaml } from '@loadbearing/hydra-config/edge'
import { expect, test } from 'vitest'
import { bundle } from './bundle.ts'
import { runAsWorker } from './worker-context.ts'

const plainFiles = {
  'config.yaml':
    'defaults:\n- db: pg\n- optional cache: none\n- override hydra/job_logging: none\n- _self_\n' +
    'url: pg://${db.host}:${db.port}\nuser: ${oc.env:USER,nobody}\nlist: [1, 2.0, yes]\n' +
    'hydra: {job: {name: app}}\n',
  'db/pg.yaml': 'host: localhost\nport: 5432\n',
  'db/mysql.yaml': '# @package db\nhost: remote\nport: 3306\nports: ${oc.create:[1, 2]}\n',
  'db/anchored.yaml': 'host: &h remote\nport: 1\nsame: *h\n',
}

/** The same without what is not in the core: a header, YAML, calls of resolvers. */
const values = {
  'config.yaml': {
    defaults: [
      { db: 'pg' },
      { 'optional cache': 'none' },
      { 'override hydra/job_logging': 'none' },
      '_self_',
    ],
    url: 'pg://${db.host}:${db.port}',
    which: 'port',
    port: '${db.${which}}',
    user: '${.which}',
    list: [1, 2.5, true, null, -0.5],
    hydra: { job: { name: 'app' } },
  },
  'db/pg.yaml': { host: 'localhost', port: 5432 },
  'db/mysql.yaml': {
    defaults: ['/extra/more@_here_', '_self_'],
    host: 'remote',
    port: 3306,
    second: '${..list[1]}',
  },
  'extra/more.yaml': { from: '${.host}', host: 'unseen' },
}

type Run = (
  files: Readonly<Record<string, unknown>>,
  overrides: readonly string[],
  options?: object,
) => Promise<string>

/** Composes in a bundle with these features, where nothing of Node is, and tells all that can be asked of it. */
async function runWith(features: string): Promise<Run> {
  const names = features === '' ? '' : `, ${features}`
  const { script, imports } = await bundle(
    `import { compose, diff, digest, explain, fromMemory, toYAML, treeOf${names} } from '@loadbearing/hydra-config/edge'
     export const run = async (files, overrides, options = {}) => {
       const source = fromMemory(files)
       const features = [${features}]
       const found = await compose({ source, config: 'config', overrides, features, ...options })
       const plain = await compose({ source, config: 'config', features, ...options })
       return JSON.stringify({
         value: found.value,
         defaults: found.defaults.map(({ config, package: of }) => [config, of]),
         choices: [...found.choices],
         explained: Object.keys(found.value).map((key) => explain(found, key)),
         digest: digest(found),
         yaml: toYAML(found),
         changes: diff(plain, found),
         keys: treeOf(found).raw.entries.size,
       })
     }`,
  )
  expect(imports).toEqual([])
  const { run } = runAsWorker(script)
  if (!isRun(run)) throw new TypeError('run is no function')
  return run
}

function isRun(run: unknown): run is Run {
  return typeof run === 'function'
}

/** The same of the package as a whole. */
async function wholeAnswer(
  files: Readonly<Record<string, unknown>>,
  overrides: readonly string[],
  options: object = {},
): Promise<unknown> {
  const source = fromMemory(files)
  const environment = (): undefined => undefined
  const found = await composeWhole({ source, config: 'config', overrides, environment, ...options })
  const plain = await composeWhole({ source, config: 'config', environment, ...options })
  const { value } = found
  if (typeof value !== 'object' || value === null || found.tree.raw.kind !== 'map')
    throw new TypeError('no map')
  const answer = {
    value,
    defaults: found.defaults.map(({ config, package: of }) => [config, of]),
    choices: [...found.choices],
    explained: Object.keys(value).map((key) => found.explain(key)),
    digest: found.digest(),
    yaml: found.toYAML(),
    changes: plain.diff(found),
    keys: found.tree.raw.entries.size,
  }
  return JSON.parse(JSON.stringify(answer))
}

test('the core composes values as the package does', async () => {
  const run = await runWith('')
  for (const overrides of [
    ['+added=me', 'user="${added}"'],
    ['db=mysql', 'db.port=3307', 'user="${db.from}"'],
    ['~db', 'url=none', 'port=1', '++which={a: [1, "x"], b: {c: 1.0}}', '++list=[a,b]'],
    ['+db@second=pg', 'second.port=1', '~user'],
  ]) {
    expect(JSON.parse(await run(values, overrides))).toEqual(await wholeAnswer(values, overrides))
  }
  for (const overrides of [
    ['db=nope'],
    ['a=b=c'],
    ['~nope'],
    ['url=${nope}'],
    ['list=1,2'],
    ['user=${.user}'],
  ]) {
    const { refused, expected } = await errorsOf(run, values, overrides)
    expect(refused).toMatchObject(expected)
  }
})

/** What the edge refuses with, and what of it the package says. */
async function errorsOf(
  run: Run,
  files: Readonly<Record<string, unknown>>,
  overrides: readonly string[],
): Promise<{ refused: unknown; expected: Record<string, unknown> }> {
  const refused: unknown = await run(files, overrides).catch((error: unknown) => error)
  const whole: unknown = await wholeAnswer(files, overrides).catch((error: unknown) => error)
  const { code, class: ofClass, message } = Object(whole)
  if (typeof code !== 'string') throw new TypeError('the package composes it')
  const inEdge = String(message).replaceAll(/\tprovider=hydra, .*\n/g, '')
  return { refused, expected: { code, class: ofClass, message: inEdge } }
}

test('the edge composes as the package does', async () => {
  const run = await runWith('plainYaml, resolverCalls')
  for (const overrides of [
    [],
    ['db=mysql', 'db.port=3307'],
    ['~db', 'url=none', '+added={a: [1, "x"], b: {c: 1.0}}', '++list=[a,b]'],
    ['+db@second=pg', 'second.port=1', '~user'],
  ]) {
    expect(JSON.parse(await run(plainFiles, overrides))).toEqual(await wholeAnswer(plainFiles, overrides))
  }
})

test('errors are those of the package', async () => {
  const run = await runWith('plainYaml, resolverCalls')
  for (const overrides of [
    ['db=nope'],
    ['a=b=c'],
    ['nme=1'],
    ['~nope'],
    ['url=${nope}'],
    ['url=${nope:1}'],
    ['url=1,2'],
    ['list=${list}'],
  ]) {
    const { refused, expected } = await errorsOf(run, plainFiles, overrides)
    expect(refused).toMatchObject(expected)
  }
})

test('a string that is no interpolation is refused with its place: where it is read, or without resolverCalls resolved', async () => {
  const files = { 'config.yaml': 'a: 1\nb: [x, "${a"]\n' }
  const expected = {
    code: 'INTERPOLATION_PARSE',
    class: 'GrammarParseError',
    offset: 3,
    origin: { kind: 'file', config: 'config', line: 2, column: 8 },
  }
  for (const features of ['plainYaml', 'plainYaml, resolverCalls']) {
    const run = await runWith(features)
    await expect(run(files, [])).rejects.toMatchObject(expected)
  }
})

test('what needs a feature is refused by its name, with its place', async () => {
  const core = await runWith('')
  await expect(core(plainFiles, [])).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringMatching(/'config'.*plainYaml or wholeYaml/),
  })
  await expect(core(values, ['user="${oc.env:USER}"'])).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringMatching(/resolverCalls/),
    path: 'user',
    origin: { kind: 'override', index: 0 },
  })
  const run = await runWith('plainYaml')
  await expect(run(plainFiles, ['db=anchored'])).rejects.toMatchObject({
    code: 'YAML_INVALID',
    message: expect.stringMatching(/wholeYaml[^]*db\/anchored\.yaml:1/),
    origin: { kind: 'file', config: 'db/anchored', line: 1 },
  })
  for (const text of ['list=sort(2,1)', 'list=[1,int("2")]', 'nme={a: choice(1,2)}', 'list=nope()']) {
    await expect(run(plainFiles, [text])).rejects.toThrow(/overrideFunctions/)
  }
  await expect(run(plainFiles, [], { semantics: 'strict' })).rejects.toThrow(/strictSemantics/)
  await expect(run(plainFiles, [], { resolvers: { one: () => 1 } })).rejects.toThrow(/userResolvers/)
  await expect(run(plainFiles, [], { secrets: { paths: ['db.port'] } })).rejects.toThrow(/secretValues/)
  await expect(run(plainFiles, ['hydra.job.name=x'])).rejects.toThrow(/Hydra's own configuration/)
})

test.each([
  ['a: 1\n\tb: 2\n', 'U+0009', 2, 1],
  ['a: 1\nb: 2\t# c\n', 'U+0009', 2, 5],
  ['a: 1\r\nb: 2\r\n', 'U+000D', 1, 5],
  ['\ufeffa: 1\n', 'U+FEFF', 1, 1],
  ['a: 1\n\nb: [é, \u{1f600}]\n', 'U+1F600', 3, 8],
  ['a: 1\n\nb: |\n  c\n', 'the line', 3, 1],
  ['a: 1\nb: &b c\nd: *b\n', 'the line', 2, 1],
  ['a: b\n  c\n', 'the line', 2, 1],
])('of %j, which is no plain YAML, it is told what and where', (text, what, line, column) => {
  const file = { source: 'memory://', config: 'a' }
  expect(() => plainYaml.text?.(text, file, {})).toThrow(
    expect.objectContaining({
      code: 'YAML_INVALID',
      problem: `${what} is no plain YAML: correct it or give the feature wholeYaml`,
      origin: { kind: 'file', ...file, line, column },
    }),
  )
})

test('features bring it back', async () => {
  const run = await runWith('overrideFunctions, secretValues, strictSemantics, userResolvers, wholeYaml')
  const resolvers = { twice: async (value: number) => value * 2 }
  const options = { resolvers, semantics: 'strict', secrets: { paths: ['db.host'] } }
  const overrides = ['db=anchored', 'list=append(3)', 'url="${twice:${db.port}}"']
  const answer = JSON.parse(await run(plainFiles, overrides, options))
  expect(answer).toEqual(await wholeAnswer(plainFiles, overrides, options))
  expect(answer).toMatchObject({
    value: { list: [1, 2, true, 3], url: 2, db: { host: '***', same: 'remote' } },
  })
})

test('what is secret is refused where nothing keeps it so, and not shown', async () => {
  const { script } = await bundle(
    `import { compose, configStore, fromMemory, secret } from '@loadbearing/hydra-config/edge'
     import { secretOf, str, structured } from '@loadbearing/hydra-config'
     const DB = structured('DB', { password: secretOf(str('hunter2')) })
     export const run = (overrides) => compose({
       source: [fromMemory({ 'config.yaml': { defaults: ['base'] } }), configStore({ base: DB })],
       config: 'config',
       overrides,
     })`,
  )
  const { run } = runAsWorker(script)
  if (!isRun(run)) throw new TypeError('run is no function')
  await expect(Reflect.apply(run, undefined, [[]])).rejects.toThrow(/secretValues/)
})

test('the configuration of the desk is composed at the edge', async () => {
  const conf = join(import.meta.dirname, '../../../delay-desk/conf')
  const files = Object.fromEntries(
    readdirSync(conf, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.yaml'))
      .map((path) => [path, readFileSync(join(conf, path), 'utf8')]),
  )
  const resolvers = { dataset: (name: string) => `/data/${name}`, now: () => 'now' }
  const run = await runWith('userResolvers, wholeYaml')
  for (const overrides of [[], ['scenario=calm', 'store=memory', 'desk.workers=4', 'policy=uk261']]) {
    const answer = JSON.parse(await run(files, overrides, { resolvers }))
    expect(answer).toEqual(await wholeAnswer(files, overrides, { resolvers }))
    expect(answer.defaults.length).toBeGreaterThan(5)
  }
})
