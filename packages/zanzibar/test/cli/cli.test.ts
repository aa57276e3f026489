import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { eventually } from '@loadbearing/harness/faults'
import { afterAll, expect, test } from 'vitest'
import { bench } from '../../src/cli/bench.ts'
import { expandPaths } from '../../src/cli/expand-paths.ts'
import { lint } from '../../src/cli/lint.ts'
import { graph, typed } from '../../src/cli/model.ts'
import { modelDiff } from '../../src/cli/model-diff.ts'
import { openSpace } from '../../src/cli/open-space.ts'
import {
  checkAnswer,
  contextOf,
  expandAnswer,
  listAnswer,
  listUsersAnswer,
  whyAnswer,
} from '../../src/cli/questions.ts'
import { testStores } from '../../src/cli/test-stores.ts'
import { exported, importInto } from '../../src/cli/transfer.ts'
import { tellChanges } from '../../src/cli/watch.ts'
import { runCommand, startCommand } from './command.ts'

const documents = fileURLToPath(new URL('documents.fga.yaml', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'zanzibar-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

const samples = fileURLToPath(new URL('../../../../../shared/vectors/openfga/sample-stores', import.meta.url))
test.skipIf(!existsSync(samples))("runs OpenFGA's sample stores", { timeout: 60_000 }, async () => {
  const files = globSync(join(samples, '**/*.fga.yaml')).filter(
    // These name a file of tuples that the vectors do not have.
    (file) => !readFileSync(file, 'utf8').includes('core-tuples.yaml'),
  )
  expect(files.length).toBeGreaterThan(25)
  const { lines, failed } = await testStores(files)
  expect(lines.filter((line) => line.startsWith('FAILED'))).toEqual([])
  expect(failed).toBe(false)
})

test('a store file whose expectations hold ends with 0', async () => {
  const { status, stdout } = await runCommand('test', documents)
  expect(stdout).toBe('1 files, 7 expectations hold, 0 do not\n')
  expect(status).toBe(0)
})

test('a flipped expectation ends with 1, and shows the line of the model and how it comes about', async () => {
  const flipped = join(folder, 'flipped.fga.yaml')
  writeFileSync(
    flipped,
    readFileSync(documents, 'utf8').replace(
      'viewer: true\n          owner',
      'viewer: false\n          owner',
    ),
  )
  const { status, stdout } = await runCommand('test', flipped)
  expect(status).toBe(1)
  expect(stdout).toContain('viewers: check user:anne viewer document:plan: expected false, is true')
  expect(stdout).toContain('define viewer: ([user:*, group#member] or owner) but not blocked')
  expect(stdout).toContain('group:eng#member')
  expect(stdout).toContain('5 expectations hold, 2 do not')
})

test('answers questions about a store file', async () => {
  await using space = await openSpace({ file: documents })
  const bob = ['user:bob', 'viewer', 'document:public']
  expect(await checkAnswer(space, ['user:anne', 'viewer', 'document:plan'], {})).toEqual({
    lines: ['allowed'],
    failed: false,
  })
  expect(await checkAnswer(space, bob, {})).toEqual({ lines: ['denied'], failed: true })
  expect(await checkAnswer(space, ['user:carl', 'viewer', 'document:draft'], {})).toEqual({
    lines: ['conditional: now missing from the context'],
    failed: true,
  })
  expect(await whyAnswer(space, bob, {})).toEqual({
    lines: ['denied', 'it is blocked by', '  user:bob blocked document:public'],
    failed: true,
  })
  const why = await whyAnswer(space, ['user:anne', 'viewer', 'document:plan'], {})
  expect(why.lines.at(0)).toBe('allowed')
  expect(why.lines.join('\n')).toContain('by user:anne member group:eng')
  const context = contextOf('{"now":"2027-01-01T00:00:00Z"}') ?? {}
  expect((await listAnswer(space, ['user:anne', 'viewer', 'document'], { context })).lines).toEqual([
    'document:plan',
    'document:public',
  ])
  expect((await listUsersAnswer(space, ['document:public', 'viewer', 'user'], {})).lines).toEqual([
    'user:* but not user:bob',
  ])
  expect((await expandAnswer(space, ['document:plan', 'owner'], 1)).lines).toEqual([
    'document:plan#owner: no tuples',
  ])
  expect(() => contextOf('[1]')).toThrow('--context must be an object of JSON')
  await expect(openSpace({ store: 'nonsense:' })).rejects.toMatchObject({ code: 'invalid_option' })
})

test('says why in DOT, and in JSON', async () => {
  await using space = await openSpace({ file: documents })
  const anne = ['user:anne', 'viewer', 'document:plan']
  expect(await whyAnswer(space, anne, {}, 'dot')).toEqual({
    lines: [
      `digraph {
graph [
rankdir=BT
];
0 [label="group:eng#member"];
1 [label="document:plan#viewer"];
2 [label="user:anne"];
0 -> 1 [label="viewer document:plan"];
2 -> 0 [label="member group:eng"];
}`,
    ],
    failed: false,
  })
  const bob = await whyAnswer(space, ['user:bob', 'viewer', 'document:public'], {}, 'dot')
  expect(bob.lines[0]).toContain('[label="blocks", color=red];')
  const json = await whyAnswer(space, anne, {}, 'json')
  expect(JSON.parse(json.lines.join(''))).toMatchObject({
    allowed: true,
    proof: { userset: 'document:plan#viewer' },
  })
  expect((await runCommand('why', ...anne, '--file', documents, '--format', 'svg')).status).toBe(2)
})

test('exports what was imported, and tells the changes', async () => {
  const store = `sqlite:${join(folder, 'documents.db')}`
  const imported = await importInto({ store }, documents)
  expect(imported.lines[0]).toMatch(/^store Documents \(\w{26}\), model \w{26}, 5 tuples$/)
  await using space = await openSpace({ store })
  const { lines } = await exported(space)
  const copy = join(folder, 'copy.fga.yaml')
  writeFileSync(copy, lines.join('\n'))
  await using again = await openSpace({ file: copy })
  expect((await exported(again)).lines.join('\n').replace('name: default', 'name: Documents')).toBe(
    lines.join('\n'),
  )
  const stop = new AbortController()
  const changes: string[] = []
  const watching = tellChanges(space, 0, (line) => changes.push(line), stop.signal)
  await eventually(() => changes.length === 5)
  await space.zanzibar.write({ remove: [['user:*', 'viewer', 'document:public']] })
  await eventually(() => changes.length === 6)
  expect(JSON.parse(changes[5] ?? '')).toMatchObject({ operation: 'delete', tuple: { user: 'user:*' } })
  stop.abort()
  await watching
  const from = async (position: string): Promise<string> => {
    const { status, stderr } = await runCommand('watch', '--store', store, `--from=${position}`)
    expect(status).toBe(2)
    return stderr
  }
  expect(await from('-1')).toBe('zanzibar: --from must be a whole number, not -1\n')
  expect(await from('1e3')).toBe('zanzibar: --from must be a whole number, not 1e3\n')
  expect(await from('7')).toContain('no change of this store has come to position 7')
})

test('a question makes no database where there is none', async () => {
  const path = join(folder, 'mistyped.db')
  const asked = await runCommand('check', 'user:anne', 'viewer', 'document:1', '--store', `sqlite:${path}`)
  expect(asked).toMatchObject({ status: 2, stderr: expect.stringContaining(`there is no file ${path}`) })
  expect(existsSync(path)).toBe(false)
})

test('serves until it is told to end', async () => {
  const child = startCommand(['serve', '--port', '0'], { ZANZIBAR_PRESHARED_KEYS: 'secret' })
  const ended = once(child, 'exit')
  if (child.stdout === null) throw new Error('no stdout')
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const url = /http:\S+\d/.exec(line)?.[0] ?? ''
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  expect((await fetch(`${url}/stores`)).status).toBe(401)
  expect((await fetch(`${url}/stores`, { headers: { authorization: 'Bearer secret' } })).status).toBe(200)
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

test('does not start with an issuer and no audience, or on wrong use', async () => {
  const { status, stderr } = await runCommand('serve', '--oidc-issuer', 'https://id.example.com')
  expect(status).toBe(2)
  expect(stderr).toContain('audience is missing')
  expect(await runCommand('check', '--nonsense')).toMatchObject({ status: 2 })
})

test('tells the place of what is wrong with a model', async () => {
  const broken = join(folder, 'broken.fga')
  writeFileSync(
    broken,
    'model\n  schema 1.1\ntype user\ntype document\n  relations\n    define viewer [user]\n',
  )
  const { lines, failed } = await lint([broken])
  expect(failed).toBe(true)
  expect(lines[0]).toMatch(/broken\.fga:6:\d+: /)
  expect(await lint([documents])).toEqual({ lines: ['1 without a problem'], failed: false })
})

test('what a model changes for a store: its tuples, and what its tests ask', async () => {
  const narrow = join(folder, 'narrow.fga.yaml')
  const text = readFileSync(documents, 'utf8')
  writeFileSync(narrow, text.replace('[user:*, group#member]', '[user:*]'))
  expect((await modelDiff({}, [documents, narrow])).lines).toEqual([
    '- restriction document#viewer: group#member',
  ])
  expect((await modelDiff({}, [narrow, narrow])).lines).toEqual(['the models do not differ'])
  const { lines, failed } = await modelDiff({ file: documents }, [narrow])
  const refused = "('group#member' is not an allowed type restriction for 'document#viewer')"
  expect(lines).toEqual([
    '- restriction document#viewer: group#member',
    'tuples that stop counting: 1',
    `- group:eng#member viewer document:plan ${refused}`,
    'tuples that count again: 0',
    'answers that become others: 2',
    '~ user:anne viewer document:plan: allowed, now denied',
    '~ user:dan viewer document:plan: allowed, now denied',
  ])
  expect(failed).toBe(true)
  await expect(modelDiff({}, [documents])).rejects.toMatchObject({ code: 'invalid_option' })
  const { status, stdout } = await runCommand('model', 'diff', documents, documents)
  expect([status, stdout]).toEqual([0, 'the models do not differ\n'])
  expect((await runCommand('model', 'nonsense')).status).toBe(2)
})

test('a model in DOT, and in TypeScript', async () => {
  expect((await graph([documents])).lines[0]).toContain('[label="document#viewer"]')
  expect((await typed([documents])).lines[0]).toContain('in_time: { parameters: { now: "timestamp"')
  await expect(typed([])).rejects.toMatchObject({ code: 'invalid_option' })
  const { status, stdout } = await runCommand('model', 'graph', documents)
  expect([status, stdout.startsWith('digraph {')]).toEqual([0, true])
})

test('times checks of a store', async () => {
  await using space = await openSpace({ file: documents })
  const { lines } = await bench(space, 20)
  expect(lines[0]).toMatch(/^\d+ checks of 10 questions, \d+ allowed$/)
  expect(lines[2]).toMatch(/^p50 [\d.]+ µs, p99 /)
  await using empty = await openSpace({ file: modelFile() })
  await expect(bench(empty, 20)).rejects.toMatchObject({ code: 'invalid_option' })
})

function modelFile(): string {
  const path = join(folder, 'model.fga')
  writeFileSync(
    path,
    'model\n  schema 1.1\ntype user\ntype group\n  relations\n    define member: [user, group#member]\n',
  )
  return path
}

test('answers as the semantics have it, and lints what v2 may answer otherwise', async () => {
  const question = ['group:eng#member', 'member', 'group:eng']
  await using v1 = await openSpace({ file: modelFile() })
  await using v2 = await openSpace({ file: modelFile(), semantics: 'openfga-v2' })
  expect((await whyAnswer(v1, question, {})).lines[0]).toBe('allowed')
  expect((await whyAnswer(v2, question, {})).lines[0]).toBe('denied')
  expect((await lint([modelFile()], 'openfga-v2')).lines).toEqual([
    '1 without a problem',
    `${modelFile()}: group#member of group#member may differ: self_referential_userset`,
  ])
  expect((await runCommand('lint', modelFile(), '--semantics', 'v3')).status).toBe(2)
})

test('paths with stars are the files that fit, however deep', async () => {
  const stores = join(folder, 'stores')
  mkdirSync(join(stores, 'a', 'b'), { recursive: true })
  const files = ['one.fga.yaml', 'a/two.fga.yaml', 'a/b/three.fga.yaml', 'a/b/tuples.yaml'].map((name) =>
    join(stores, name),
  )
  for (const file of files) writeFileSync(file, readFileSync(documents))
  const [one = '', two = '', three = ''] = files
  expect(await expandPaths([join(stores, '**/*.fga.yaml'), documents])).toEqual([three, two, one, documents])
  expect(await expandPaths([join(stores, '*/*.fga.yaml')])).toEqual([two])
  expect(await expandPaths([join(stores, 'a/**/t*.yaml')])).toEqual([
    three,
    join(stores, 'a/b/tuples.yaml'),
    two,
  ])
  await expect(expandPaths([join(stores, '*.json')])).rejects.toMatchObject({ code: 'invalid_option' })
  expect(await runCommand('test', join(stores, '**/*.fga.yaml'))).toMatchObject({
    status: 0,
    stdout: '3 files, 21 expectations hold, 0 do not\n',
  })
})
