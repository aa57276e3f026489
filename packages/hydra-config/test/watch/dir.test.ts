import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@loadbearing/harness/faults'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fromDir } from '../../src/adapters/node.ts'
import { createHydra, type HydraEvent, type LiveConfig } from '../../src/index.ts'

let home: string
let root: string
let events: HydraEvent[]

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hydra-config-'))
  root = join(home, 'conf')
  mkdirSync(join(root, 'db'), { recursive: true })
  writeFileSync(join(root, 'config.yaml'), 'defaults:\n- db: pg\n')
  writeFileSync(join(root, 'db/pg.yaml'), 'port: 1\n')
  events = []
})

afterEach(() => rmSync(home, { recursive: true }))

function watch(): Promise<LiveConfig<unknown>> {
  const hydra = createHydra({ sources: [fromDir(root)], onEvent: (event) => events.push(event) })
  // No poll: what is not told is not seen.
  return hydra.watch({ config: 'config', pollEvery: '1h' })
}

async function shows(live: LiveConfig<unknown>, value: unknown): Promise<void> {
  const text = JSON.stringify(value)
  await eventually(() => JSON.stringify(live.current.value) === text, {
    within: '20s',
    what: `${text}; it shows ${JSON.stringify(live.current.value)}`,
  })
}

function errors(): number {
  return events.filter(({ type }) => type === 'reload.error').length
}

test('a file that is written to, replaced by another one, or moved away and put back', async () => {
  await using live = await watch()
  writeFileSync(join(root, 'db/pg.yaml'), 'port: 2\n')
  await shows(live, { db: { port: 2 } })
  writeFileSync(join(home, 'next'), 'port: 3\n')
  renameSync(join(home, 'next'), join(root, 'db/pg.yaml'))
  await shows(live, { db: { port: 3 } })
  renameSync(join(root, 'db/pg.yaml'), join(root, 'db/pg.yaml~'))
  await eventually(() => errors() === 1)
  writeFileSync(join(root, 'db/pg.yaml'), 'port: 4\n')
  await shows(live, { db: { port: 4 } })
  expect(errors()).toBe(1)
})

test('a file that is deleted leaves the old configuration', async () => {
  await using live = await watch()
  unlinkSync(join(root, 'db/pg.yaml'))
  await eventually(() => errors() === 1)
  expect(live.current.value).toEqual({ db: { port: 1 } })
})

test('new folders, and folders in these, are watched as well', async () => {
  await using live = await watch()
  mkdirSync(join(root, 'cache/near'), { recursive: true })
  writeFileSync(join(root, 'cache/near/small.yaml'), 'size: 1\n')
  writeFileSync(join(root, 'config.yaml'), 'defaults:\n- db: pg\n- cache/near: small\n')
  await shows(live, { db: { port: 1 }, cache: { near: { size: 1 } } })
  writeFileSync(join(root, 'cache/near/small.yaml'), 'size: 2\n')
  await shows(live, { db: { port: 1 }, cache: { near: { size: 2 } } })
  rmSync(join(root, 'db'), { recursive: true })
  await eventually(() => errors() === 1)
  mkdirSync(join(root, 'db'))
  writeFileSync(join(root, 'db/pg.yaml'), 'port: 5\n')
  await shows(live, { db: { port: 5 }, cache: { near: { size: 2 } } })
  writeFileSync(join(root, 'db/pg.yaml'), 'port: 6\n')
  await shows(live, { db: { port: 6 }, cache: { near: { size: 2 } } })
  expect(errors()).toBe(1)
})

test('a volume of Kubernetes, whose files are links through a link that is replaced', async () => {
  const volume = join(home, 'volume')
  for (const revision of ['..1', '..2']) {
    mkdirSync(join(volume, revision), { recursive: true })
    writeFileSync(join(volume, revision, 'config.yaml'), `revision: ${revision.slice(2)}\n`)
  }
  symlinkSync('..1', join(volume, '..data'))
  symlinkSync('..data/config.yaml', join(volume, 'config.yaml'))
  const hydra = createHydra({ sources: [fromDir(volume, { semantics: 'strict' })] })
  await using live = await hydra.watch({ config: 'config', pollEvery: '1h' })
  expect(live.current.value).toEqual({ revision: 1 })
  symlinkSync('..2', join(volume, '..data_tmp'))
  renameSync(join(volume, '..data_tmp'), join(volume, '..data'))
  await shows(live, { revision: 2 })
})

test('a file that a link leads to from outside', async () => {
  writeFileSync(join(home, 'shared.yaml'), 'port: 7\n')
  unlinkSync(join(root, 'db/pg.yaml'))
  symlinkSync(join(home, 'shared.yaml'), join(root, 'db/pg.yaml'))
  await using live = await watch()
  expect(live.current.value).toEqual({ db: { port: 7 } })
  writeFileSync(join(home, 'shared.yaml'), 'port: 8\n')
  await shows(live, { db: { port: 8 } })
})

test('the whole directory is replaced, or is gone for a while', async () => {
  await using live = await watch()
  mkdirSync(join(home, 'next/db'), { recursive: true })
  writeFileSync(join(home, 'next/config.yaml'), 'defaults:\n- db: pg\n')
  writeFileSync(join(home, 'next/db/pg.yaml'), 'port: 9\n')
  renameSync(root, join(home, 'before'))
  renameSync(join(home, 'next'), root)
  await shows(live, { db: { port: 9 } })
  const before = errors()
  renameSync(root, join(home, 'away'))
  await eventually(() => errors() > before)
  expect(live.current.value).toEqual({ db: { port: 9 } })
  renameSync(join(home, 'away'), root)
  await eventually(() => events.at(-1)?.type === 'reload.recovered')
  writeFileSync(join(root, 'db/pg.yaml'), 'port: 10\n')
  await shows(live, { db: { port: 10 } })
})

test('to dispose leaves no watcher of the system', async () => {
  const watchers = (): number =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'FSEvent' || kind === 'FSEventWrap').length
  const before = watchers()
  const live = await watch()
  expect(watchers()).toBeGreaterThanOrEqual(before)
  await live[Symbol.asyncDispose]()
  expect(watchers()).toBe(before)
})

test.each([
  ['ends though it watches', 'idle', 'watching\n'],
  ['goes on while it waits for a reload', 'waiting', 'watching\nreloaded {"db":{"port":2}}\n'],
])('a process %s', async (_, mode, expected) => {
  const script = join(import.meta.dirname, 'children/watcher.ts')
  const child = spawn(process.execPath, ['--conditions=@loadbearing/source', script, mode, root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (output === 'watching\n') writeFileSync(join(root, 'db/pg.yaml'), 'port: 2\n')
  })
  const [code] = await once(child, 'close')
  expect(output).toBe(expected)
  expect(code).toBe(0)
})
