import { expect, test } from 'vitest'
import { parseCrashAt, parseCrashReport } from './crash-point.ts'

test.each([
  ['after-claim:1', { name: 'after-claim', n: 1 }],
  ['store/claim.sql_2:120', { name: 'store/claim.sql_2', n: 120 }],
  ['__proto__:3', { name: '__proto__', n: 3 }],
])('reads %j', (text, site) => {
  expect(parseCrashAt(text)).toEqual(site)
})

test.each([
  '',
  'name',
  'name:',
  ':1',
  'name:0',
  'name:-1',
  'name:1.5',
  'name:1e3',
  'name:9999999999',
  'na me:1',
  'a:1:2',
  'name:1\n',
  `${'n'.repeat(101)}:1`,
])('refuses %j', (text) => {
  expect(() => parseCrashAt(text)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
})

test('reads the reports and nothing else', () => {
  expect(parseCrashReport('passed a')).toEqual({ kind: 'passed', name: 'a' })
  expect(parseCrashReport('crashed a 7')).toEqual({ kind: 'crashed', name: 'a', n: 7 })
  expect(parseCrashReport('')).toBeUndefined()
  expect(parseCrashReport('elsewhere a 7')).toBeUndefined()
})
