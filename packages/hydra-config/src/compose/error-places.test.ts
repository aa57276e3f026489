import { expect, test } from 'vitest'
import { HydraConfigError } from '../errors.ts'
import { fromMemory } from '../source/memory.ts'
import { originText } from '../value/origin-text.ts'
import { compose } from './compose.ts'

interface Case {
  readonly of: string
  readonly files: Readonly<Record<string, string>>
  readonly overrides?: readonly string[]
  readonly code: string
  /** `file:line:column`, or the part of the override at fault. */
  readonly at: string
  readonly path?: string
}

const db = { 'db/pg.yaml': 'port: 1\n' }
const one = { 'config.yaml': 'a: {b: 1, c: [1]}\n' }

const cases: readonly Case[] = [
  { of: 'YAML', files: { 'config.yaml': 'a: 1\nb: [\n' }, code: 'YAML_INVALID', at: 'config:3:1' },
  {
    of: 'a character',
    files: { 'config.yaml': 'a: 1\nb: \u0001\n' },
    code: 'YAML_INVALID',
    at: 'config:2:4',
  },
  { of: 'a key twice', files: { 'config.yaml': 'a: 1\n\na: 2\n' }, code: 'YAML_INVALID', at: 'config:3:1' },
  {
    of: 'a date',
    files: { 'config.yaml': 'a: 1\nb: !!timestamp 2001-01-01\n' },
    code: 'YAML_INVALID',
    at: 'config:2:16',
  },
  {
    of: 'an interpolation',
    files: { 'config.yaml': 'a:\n  b: "${c"\n' },
    code: 'INTERPOLATION_PARSE',
    at: 'config:2:6',
  },
  {
    of: 'a header',
    files: { ...db, 'config.yaml': '\n# @package a b\na: 1\n' },
    code: 'INVALID_HEADER',
    at: 'config:2:1',
  },
  {
    of: 'defaults',
    files: { 'config.yaml': 'defaults: {a: 1}\n' },
    code: 'INVALID_DEFAULTS',
    at: 'config:1:11',
  },
  {
    of: 'an item of defaults',
    files: { 'config.yaml': 'defaults:\n- a\n- 1\n' },
    code: 'INVALID_DEFAULTS',
    at: 'config:3:3',
  },
  {
    of: 'an option',
    files: { ...db, 'config.yaml': 'defaults:\n- db: my\n' },
    code: 'MISSING_CONFIG',
    at: 'config:2:7',
  },
  {
    of: 'a chosen option',
    files: { ...db, 'config.yaml': 'defaults:\n- db: pg\n' },
    overrides: ['db=my'],
    code: 'MISSING_CONFIG',
    at: 'my',
  },
  {
    of: 'an unused override',
    files: { ...db, ...one },
    overrides: ['a.b=2', 'db=pg'],
    code: 'COMPOSITION',
    at: 'pg',
  },
  { of: 'an unused deletion', files: { ...db, ...one }, overrides: ['~db'], code: 'COMPOSITION', at: '~db' },
  {
    of: 'a merge',
    files: {
      'config.yaml': 'defaults:\n- other\n- _self_\na: {b: {c: 1}}\n',
      'other.yaml': 'a:\n  b: [1]\n',
    },
    code: 'COMPOSITION',
    at: 'config:4:8',
    path: 'a.b',
  },
  { of: 'an override', files: one, overrides: ['a.b=b=c'], code: 'OVERRIDE_PARSE', at: '=c' },
  { of: 'an unknown key', files: one, overrides: ['a.x=1'], code: 'COMPOSITION', at: '1', path: 'a.x' },
  { of: 'a key that is there', files: one, overrides: ['+a.b=1'], code: 'COMPOSITION', at: '1', path: 'a.b' },
  { of: 'a deletion', files: one, overrides: ['~a.x'], code: 'COMPOSITION', at: '~a.x', path: 'a.x' },
  { of: 'an index', files: one, overrides: ['a.c.7=1'], code: 'COMPOSITION', at: '1', path: 'a.c.7' },
]

test.each(cases)('an error of $of tells its place', async ({ files, overrides = [], code, at, path }) => {
  const error: unknown = await compose({ source: fromMemory(files), config: 'config', overrides }).catch(
    (reason: unknown) => reason,
  )
  if (!(error instanceof HydraConfigError) || error.origin === undefined) throw error
  const { origin, message } = error
  expect(error.code).toBe(code)
  if (origin.kind === 'file') expect(`${origin.config}:${origin.line}:${origin.column}`).toBe(at)
  else if (origin.kind === 'override') expect(origin.text.slice(origin.start, origin.end)).toBe(at)
  expect(message).toContain(originText(origin))
  if (path !== undefined) expect(error.path).toBe(path)
})

test('an error of a value tells its place and path', async () => {
  const source = fromMemory({ 'config.yaml': 'a:\n- {b: "${nowhere}"}\n' })
  const composition = await compose({ source, config: 'config' })
  expect(() => composition.value).toThrow(
    expect.objectContaining({ path: 'a[0].b', origin: expect.objectContaining({ line: 2, column: 7 }) }),
  )
  expect(() => composition.value).toThrow(/config\.yaml:2:7/)
})
