import { expect, test } from 'vitest'
import { compose } from '../compose/compose.ts'
import { HydraConfigError } from '../errors.ts'
import { fromMemory } from '../source/memory.ts'
import type { ConfigSource } from '../source/source.ts'

const more: Readonly<Record<string, ConfigSource>> = {
  'pkg://one': fromMemory({ 'db/far.yaml': 'from: one\n', 'db/near.yaml': 'from: one\n' }),
  'pkg://two': fromMemory({ 'db/far.yaml': 'from: two\n', 'db/last.yaml': 'from: two\n' }),
}

function resolveSource(path: string): ConfigSource {
  const files = (): never => {
    throw new HydraConfigError('SOURCE_NOT_FOUND', `there is no ${path}`)
  }
  return more[path] ?? { path, files }
}

function source(searchpath: string): ConfigSource {
  return fromMemory({
    'config.yaml': `defaults:\n- db: near\nhydra:\n  searchpath: ${searchpath}\n`,
    'db/near.yaml': 'from: main\n',
  })
}

async function from(searchpath: string, ...overrides: string[]): Promise<unknown> {
  const { value } = await compose({ source: source(searchpath), config: 'config', overrides, resolveSource })
  return Object(value).db.from
}

test('the sources of hydra.searchpath come behind those that are given, in their order', async () => {
  const path = '[pkg://one, pkg://two]'
  expect(await from(path)).toBe('main')
  expect(await from(path, 'db=far')).toBe('one')
  expect(await from('[pkg://two, pkg://one]', 'db=far')).toBe('two')
  expect(await from('[]', 'hydra.searchpath=[pkg://two]', 'db=last')).toBe('two')
})

test('a source that is not there is warned of', async () => {
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  const { value } = await compose({ source: source('[pkg://gone]'), config: 'config', resolveSource, warn })
  expect(value).toEqual({ db: { from: 'main' } })
  expect(warnings[0]).toBe('provider=hydra.searchpath in main, path=gone is not available.')
  expect(warnings.slice(1)).toEqual([expect.stringContaining('Defaults list is missing `_self_`')])
})

test('without a way to open them they are left aside', async () => {
  const { value } = await compose({ source: source('[pkg://one]'), config: 'config' })
  expect(value).toEqual({ db: { from: 'main' } })
})
