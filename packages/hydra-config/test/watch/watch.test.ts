import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { HydraConfigError } from '../../src/errors.ts'
import {
  createHydra,
  type HydraEvent,
  type HydraOptions,
  type LiveConfig,
  type WatchTiming,
} from '../../src/index.ts'
import type { ConfigSource } from '../../src/source/source.ts'
import { HandSource } from './hand-source.ts'
import { ManualClock, settled } from './manual-clock.ts'

const quiet = 10
const quietMax = 1000
const pollEvery = 30_000

interface Stand {
  readonly clock: ManualClock
  readonly source: HandSource
  readonly events: readonly HydraEvent[]
  readonly live: LiveConfig<unknown>
  /** Types of the events of reloads since the last time. */
  reloads(): string[]
}

async function watching(
  files: Readonly<Record<string, string>>,
  call: WatchTiming & { readonly schema?: z.ZodType } = {},
  options: Partial<HydraOptions> = {},
): Promise<Stand & AsyncDisposable> {
  const clock = new ManualClock()
  const source = new HandSource(files)
  const events: HydraEvent[] = []
  const hydra = createHydra({ sources: [source], clock, onEvent: (event) => events.push(event), ...options })
  const live = await hydra.watch({ config: 'config', ...call })
  let told = 0
  return {
    clock,
    source,
    events,
    live,
    reloads: () => {
      const types = events.slice(told).map(({ type }) => type)
      told = events.length
      return types.filter((type) => type.startsWith('reload'))
    },
    [Symbol.asyncDispose]: () => live[Symbol.asyncDispose](),
  }
}

function sourceOf(source: HandSource): ConfigSource {
  return { path: source.path, files: () => source.files(), watch: (signal) => source.watch(signal) }
}

test('a change is a reload with its differences, each with its place', async () => {
  await using stand = await watching({ 'config.yaml': 'a: 1\nb: 1\n' })
  expect(stand.live.current.value).toEqual({ a: 1, b: 1 })
  const next = stand.live[Symbol.asyncIterator]().next()
  stand.source.set({ 'config.yaml': 'a: 2\nc: 1\n' })
  await stand.clock.advance(quiet)
  const { value: reload } = await next
  expect(reload.value).toEqual({ a: 2, c: 1 })
  expect(reload.composition).toBe(stand.live.current)
  expect(reload.changes).toMatchObject([
    { op: 'changed', path: 'a', before: { value: 1 }, after: { value: 2, origin: { line: 1, column: 4 } } },
    { op: 'removed', path: 'b' },
    { op: 'added', path: 'c' },
  ])
  expect(stand.reloads()).toEqual(['reload.end'])
})

test('what is iterated has the type of the schema', async () => {
  const hydra = createHydra({ sources: [new HandSource({ 'config.yaml': 'port: 1\n' })] })
  await using live = await hydra.watch({ config: 'config', schema: z.object({ port: z.number() }) })
  expectTypeOf(live.current.value.port).toEqualTypeOf<number>()
  expectTypeOf(live).toExtend<AsyncIterable<{ readonly value: { readonly port: number } }>>()
  expect(live.current.value.port).toBe(1)
})

test('a burst of 100 writes is one reload, once it is quiet', async () => {
  await using stand = await watching({ 'config.yaml': 'a: 0\n' })
  const reads = stand.source.reads
  for (let write = 1; write <= 100; write += 1) {
    stand.source.set({ 'config.yaml': `a: ${write}\n` })
    await stand.clock.advance(quiet - 1)
  }
  expect(stand.source.reads).toBe(reads)
  expect(stand.live.current.value).toEqual({ a: 0 })
  await stand.clock.advance(1)
  expect(stand.source.reads).toBe(reads + 1)
  expect(stand.live.current.value).toEqual({ a: 100 })
  expect(stand.reloads()).toEqual(['reload.end'])
})

test('changes without end are read all the same, each quietMax', async () => {
  await using stand = await watching({ 'config.yaml': 'a: 0\n' })
  for (let write = 1; write <= 600; write += 1) {
    stand.source.set({ 'config.yaml': `a: ${write}\n` })
    await stand.clock.advance(5)
  }
  // 600 writes each 5 ms take 3 s.
  expect(stand.reloads()).toHaveLength(3000 / quietMax)
})

test('an invalid configuration is told once, and the old one stays', async () => {
  await using stand = await watching({ 'config.yaml': 'a: 1\n' }, { schema: z.object({ a: z.number() }) })
  const before = stand.live.current
  for (const other of ['x', 'y', 'z']) {
    stand.source.set({ 'config.yaml': 'a: [', 'other.yaml': other })
    await stand.clock.advance(quiet)
  }
  expect(stand.live.current).toBe(before)
  expect(stand.reloads()).toEqual(['reload.error'])
  stand.source.set({ 'config.yaml': 'a: text\n' })
  await stand.clock.advance(quiet)
  expect(stand.reloads()).toEqual(['reload.error'])
  expect(stand.events.findLast(({ type }) => type === 'reload.error')).toMatchObject({
    error: { code: 'CONFIG_INVALID' },
  })
  await stand.clock.advance(3 * pollEvery)
  expect(stand.reloads()).toEqual([])
  stand.source.set({ 'config.yaml': 'a: 2\n' })
  await stand.clock.advance(quiet)
  expect(stand.live.current.value).toEqual({ a: 2 })
  expect(stand.reloads()).toEqual(['reload.recovered', 'reload.end'])
})

test.each([
  ['an interpolation that leads nowhere', { 'config.yaml': 'a: ${nothing}\n' }],
  ['a config that is gone', {}],
  ['an option that is gone', { 'config.yaml': 'defaults:\n- db: pg\n' }],
])('%s is no configuration', async (_, files) => {
  await using stand = await watching({ 'config.yaml': 'a: 1\n' })
  stand.source.set(files)
  await stand.clock.advance(quiet)
  expect(stand.live.current.value).toEqual({ a: 1 })
  expect(stand.reloads()).toEqual(['reload.error'])
})

test('what changes back from invalid has recovered, without a reload', async () => {
  await using stand = await watching({ 'config.yaml': 'a: 1\n' })
  stand.source.set({ 'config.yaml': 'a: [' })
  await stand.clock.advance(quiet)
  stand.source.set({ 'config.yaml': 'a: 1\n' })
  await stand.clock.advance(quiet)
  expect(stand.reloads()).toEqual(['reload.error', 'reload.recovered'])
})

test('a change that changes no value is no reload; its places are new', async () => {
  await using stand = await watching({ 'config.yaml': 'a: 1\n' })
  stand.source.set({ 'config.yaml': '# a comment\na: 1\n' })
  await stand.clock.advance(quiet)
  expect(stand.reloads()).toEqual([])
  expect(stand.live.current.explain('a').origin).toMatchObject({ line: 2 })
})

test('what hydra.searchpath adds is watched as well, also where it comes later', async () => {
  const added = new HandSource({ 'db/pg.yaml': 'port: 1\n' })
  const late = new HandSource({ 'db/pg.yaml': 'port: 9\n' })
  late.failure = new HydraConfigError('SOURCE_NOT_FOUND', 'there is nothing yet')
  const paths = new Map([
    ['file:///late', { ...sourceOf(late), path: 'file:///late' }],
    ['file:///added', { ...sourceOf(added), path: 'file:///added' }],
  ])
  const resolveSource = (path: string): ConfigSource => paths.get(path) ?? sourceOf(added)
  const config = 'defaults:\n- db: pg\nhydra:\n  searchpath: [file:///late, file:///added]\n'
  await using stand = await watching({ 'config.yaml': config }, {}, { resolveSource })
  await stand.clock.advance(quiet)
  expect(stand.live.current.value).toEqual({ db: { port: 1 } })
  added.set({ 'db/pg.yaml': 'port: 2\n' })
  await stand.clock.advance(quiet)
  expect(stand.live.current.value).toEqual({ db: { port: 2 } })
  late.failure = undefined
  await stand.clock.advance(pollEvery)
  expect(stand.live.current.value).toEqual({ db: { port: 9 } })
  expect(stand.reloads()).toEqual(['reload.end', 'reload.end'])
})

test('a change that nobody tells of is found by the next poll', async () => {
  await using stand = await watching({ 'config.yaml': 'a: 1\n' })
  stand.source.setUnheard({ 'config.yaml': 'a: 2\n' })
  await stand.clock.advance(pollEvery - 1)
  expect(stand.live.current.value).toEqual({ a: 1 })
  await stand.clock.advance(1)
  expect(stand.live.current.value).toEqual({ a: 2 })
})

test('who is slow sees the newest, with all that differs from what it saw', async () => {
  await using stand = await watching({ 'config.yaml': 'a: 0\nb: 0\n' })
  const slow = stand.live[Symbol.asyncIterator]()
  const quick = stand.live[Symbol.asyncIterator]()
  const seen: unknown[] = []
  for (let write = 1; write <= 3; write += 1) {
    stand.source.set({ 'config.yaml': `a: ${write}\nb: ${write > 1 ? 9 : 0}\n` })
    await stand.clock.advance(quiet)
    seen.push((await quick.next()).value.value)
  }
  expect(seen).toEqual([
    { a: 1, b: 0 },
    { a: 2, b: 9 },
    { a: 3, b: 9 },
  ])
  const { value: reload } = await slow.next()
  expect(reload.value).toEqual({ a: 3, b: 9 })
  expect(reload.changes).toMatchObject([
    { path: 'a', before: { value: 0 }, after: { value: 3 } },
    { path: 'b', before: { value: 0 }, after: { value: 9 } },
  ])
})

test('a source that fails is told once, read again, and the old configuration stays', async () => {
  await using stand = await watching({ 'config.yaml': 'a: 1\n' })
  stand.source.failure = new Error('connection reset')
  stand.source.breakWatch(stand.source.failure)
  await stand.clock.advance(60_000)
  expect(stand.reloads()).toEqual(['reload.error'])
  expect(stand.live.current.value).toEqual({ a: 1 })
  expect(stand.source.watches).toBeGreaterThan(3)
  stand.source.failure = undefined
  stand.source.setUnheard({ 'config.yaml': 'a: 2\n' })
  await stand.clock.advance(11_000)
  // It is read again before it is watched again.
  expect(stand.reloads()).toEqual(['reload.end', 'reload.recovered'])
  expect(stand.live.current.value).toEqual({ a: 2 })
  stand.source.set({ 'config.yaml': 'a: 3\n' })
  await stand.clock.advance(quiet)
  expect(stand.live.current.value).toEqual({ a: 3 })
})

test('a source that does not answer is told once, and asked by a few at a time', async () => {
  await using stand = await watching({ 'config.yaml': 'a: 1\n' }, { timeout: '1s', pollEvery: '5s' })
  const { reads } = stand.source
  stand.source.hang()
  await stand.clock.advance(120_000)
  expect(stand.reloads()).toEqual(['reload.error'])
  expect(stand.source.reads - reads).toBe(4)
  stand.source.setUnheard({ 'config.yaml': 'a: 2\n' })
  stand.source.answer()
  await stand.clock.advance(10_000)
  expect(stand.reloads()).toEqual(['reload.recovered', 'reload.end'])
  expect(stand.live.current.value).toEqual({ a: 2 })
})

test('a schema that never answers is told, and the next change is read', async () => {
  let hangs = false
  const schema = z.object({ a: z.number() }).refine(() => (hangs ? new Promise<boolean>(() => {}) : true))
  await using stand = await watching({ 'config.yaml': 'a: 1\n' }, { schema, timeout: 500 })
  hangs = true
  stand.source.set({ 'config.yaml': 'a: 2\n' })
  await stand.clock.advance(quiet + 500)
  expect(stand.events.findLast(({ type }) => type === 'reload.error')).toMatchObject({
    error: { code: 'TIMED_OUT' },
  })
  hangs = false
  stand.source.set({ 'config.yaml': 'a: 3\n' })
  await stand.clock.advance(quiet)
  expect(stand.live.current.value).toEqual({ a: 3 })
})

test('a watch that cannot begin is refused and leaves nothing', async () => {
  const clock = new ManualClock()
  const hydra = (source: HandSource): Promise<unknown> =>
    createHydra({ sources: [source], clock }).watch({ config: 'config' })
  await expect(hydra(new HandSource({}))).rejects.toMatchObject({ code: 'MISSING_CONFIG' })
  const failing = new HandSource({ 'config.yaml': '' })
  failing.failure = new Error('no such host')
  await expect(hydra(failing)).rejects.toMatchObject({ code: 'SOURCE_READ' })
  expect(clock.pending).toBe(0)
})

test.each([{ quiet: 0 }, { quietMax: -1 }, { pollEvery: 'soon' }, { timeout: Number.NaN }])(
  '%j is refused at once',
  async (timing) => {
    const hydra = createHydra({ sources: [new HandSource({ 'config.yaml': '' })] })
    await expect(hydra.watch({ config: 'config', ...timing })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
  },
)

test('to dispose ends the iterations and leaves no timer', async () => {
  const stand = await watching({ 'config.yaml': 'a: 1\n' })
  const waiting = stand.live[Symbol.asyncIterator]().next()
  await stand.live[Symbol.asyncDispose]()
  expect(await waiting).toEqual({ done: true, value: undefined })
  expect(stand.clock.pending).toBe(0)
  const { reads } = stand.source
  stand.source.set({ 'config.yaml': 'a: 2\n' })
  await stand.clock.advance(2 * pollEvery)
  expect(stand.source.reads).toBe(reads)
  await stand.live[Symbol.asyncDispose]()
})

test('the signal ends the watch, before it stands as well', async () => {
  const controller = new AbortController()
  const clock = new ManualClock()
  const source = new HandSource({ 'config.yaml': 'a: 1\n' })
  const hydra = createHydra({ sources: [source], clock })
  const live = await hydra.watch({ config: 'config', signal: controller.signal })
  const iteration = (async () => {
    for await (const _ of live);
  })()
  controller.abort()
  await iteration
  await settled()
  expect(clock.pending).toBe(0)
  await expect(hydra.watch({ config: 'config', signal: controller.signal })).rejects.toMatchObject({
    code: 'ABORTED',
    cause: { name: 'AbortError' },
  })
  source.hang()
  const late = new AbortController()
  const beginning = hydra.watch({ config: 'config', signal: late.signal })
  await settled()
  late.abort(new Error('enough'))
  await expect(beginning).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } })
  expect(clock.pending).toBe(0)
})
