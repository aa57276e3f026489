import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { compose } from './compose/compose.ts'
import type { HydraEvent } from './events.ts'
import type { ConfigSource } from './source/source.ts'

const source: ConfigSource = {
  path: 'test://conf',
  files: () => Promise.resolve(new Map([['config.yaml', 'a: ${twice:2}\nb: ${later:}\n']])),
}
const resolvers = {
  twice: (of: number) => 2 * of,
  later: () => Promise.resolve('then'),
}
let now = 0
const clock = { monotonic: () => now++, setTimeout: () => 0, clearTimeout: () => undefined }

test('a composition tells of sources, resolvers and itself, to the listener and to the channels', async () => {
  const events: HydraEvent[] = []
  const published: unknown[] = []
  const types = ['compose.start', 'source.load', 'resolver.call', 'compose.end']
  const note = (message: unknown): void => void published.push(message)
  for (const type of types) subscribe(`loadbearing:hydra-config:${type}`, note)
  try {
    await compose({ source, config: 'config', resolvers, clock, onEvent: (event) => events.push(event) })
  } finally {
    for (const type of types) unsubscribe(`loadbearing:hydra-config:${type}`, note)
  }
  expect(events).toMatchObject([
    { type: 'compose.start', config: 'config' },
    { type: 'source.load', source: 'test://conf', files: 1, durationMs: 1 },
    { type: 'resolver.call', name: 'twice', path: 'a', failed: false },
    { type: 'resolver.call', name: 'later', path: 'b', failed: false },
    { type: 'compose.end', config: 'config' },
  ])
  expect(published).toEqual(events)
})

test('a resolver that throws or rejects has failed', async () => {
  const events: HydraEvent[] = []
  const failing = {
    twice: () => {
      throw new Error('no')
    },
    later: () => Promise.reject(new Error('no')),
  }
  const composed = compose({
    source,
    config: 'config',
    resolvers: failing,
    onEvent: (event) => events.push(event),
  })
  await expect(composed).rejects.toThrow(/no/)
  const calls = events.filter((event) => event.type === 'resolver.call')
  expect(new Set(calls.map(({ name, failed }) => `${name} ${failed}`))).toEqual(
    new Set(['twice true', 'later true']),
  )
})

test('a composition that fails says so', async () => {
  const events: HydraEvent[] = []
  await expect(compose({ source, config: 'nope', onEvent: (event) => events.push(event) })).rejects.toThrow(
    /nope/,
  )
  expect(events.at(-1)).toMatchObject({ type: 'compose.error', error: { code: 'MISSING_CONFIG' } })
})

test('what is no function is refused', async () => {
  // @ts-expect-error a text
  await expect(compose({ source, config: 'config', onEvent: 'log' })).rejects.toThrow(
    /onEvent must be a function/,
  )
})
