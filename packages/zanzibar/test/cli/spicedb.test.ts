import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSpace } from '../../src/cli/open-space.ts'
import { loadStore } from '../../src/cli/read-store-file.ts'
import { testStores } from '../../src/cli/test-stores.ts'
import { importInto } from '../../src/cli/transfer.ts'
import { isZanzibarError, printModel } from '../../src/index.ts'
import { parseSpiceDbSchema } from '../../src/store-file/spicedb/schema.ts'
import { parseSpiceDbValidation } from '../../src/store-file/spicedb/validation-file.ts'

const shares = fileURLToPath(new URL('shares.spicedb.yaml', import.meta.url))

test("the assertions of SpiceDB's validation file hold", async () => {
  expect(await testStores([shares])).toEqual({
    lines: ['1 files, 8 expectations hold, 0 do not'],
    failed: false,
  })
})

test('a schema as a model: a union binds before an intersection, and that before an exclusion', async () => {
  const { model } = await loadStore(shares)
  expect(model.text).toContain('define view: ((guest or edit) and viewer from folder) but not blocked')
  expect(model.text).toContain('define guest: [user with at_work]')
  expect(model.text).toContain('define viewer: [user, user:*, team#all]')
  expect(
    printModel(parseSpiceDbSchema('definition a/user {} definition b { relation r: a/user }')),
  ).toContain('define r: [a/user]')
})

test('is imported as a store file is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zanzibar-spicedb-'))
  try {
    const store = `sqlite:${join(folder, 'shares.db')}`
    const { lines } = await importInto({ store, name: 'shares' }, shares)
    expect(lines[0]).toMatch(/^store shares \(\w{26}\), model \w{26}, 11 tuples$/)
    await using space = await openSpace({ store, name: 'shares' })
    expect(await space.zanzibar.check('user:anne', 'view', 'file:roadmap')).toBe(true)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const inDefinition = (text: string): string => `definition user {}\ndefinition x {\n  ${text}\n}`
test.each([
  ['use expiration', 'line 1, column 1: expected definition or caveat, found use'],
  [inDefinition('relation r: user with expiration'), 'what expires cannot be imported'],
  [inDefinition('relation r: user permission p = r - nil'), 'column 39: nil cannot be said in a model'],
  [inDefinition('relation r: x permission p = r.all(p)'), '.all() cannot be said in a model'],
  [inDefinition('relation r: x permission p = r->p->p'), 'one arrow after another'],
  [inDefinition('relation r: x#p permission p = r->p'), 'which also has usersets or wildcards'],
  [inDefinition('permission q = p->q permission p = q'), 'an arrow along p, which is no relation'],
  [inDefinition('relation r user'), 'line 3, column 14: expected :, found user'],
  ['caveat c(a bytes) { true }', 'bytes is no type of a parameter'],
  ['caveat c(a int) { "}" ', 'the brace is never closed'],
  ['definition a {} definition a {}', 'a is defined already'],
  ['definition a { § }', 'unexpected §'],
  [inDefinition(`permission p = ${'('.repeat(200)}`), 'more than 100 parentheses'],
])('what cannot be read or said is refused at its place: %s', (text, problem) => {
  expect(() => parseSpiceDbSchema(text)).toThrow(problem)
})

test.each([
  ['document:1#viewer', 'no type:id#relation@type:id'],
  ['a:1#b@c:1[d:{]', 'no JSON as its context'],
  ['a:1#b@c:1[d:3]', 'no object as its context'],
  ['a:1#b@c:1[expiration:2030-01-01T00:00:00Z]', 'none that expires'],
])('a relationship that is none is named: %s', (relationships, problem) => {
  expect(() => parseSpiceDbValidation({ schema: '', relationships })).toThrow(problem)
})

test('no text goes wrong in another way than with a typed error', () => {
  const part = fc.constantFrom(
    'definition',
    'x',
    '{',
    '}',
    'relation',
    ':',
    '|',
    'permission',
    '=',
    '+',
    '-',
    '->',
    '(',
    ')',
    'caveat',
    '#',
    '*',
    '"',
    "'",
    '//',
    '/*',
    '\n',
    '__proto__',
    '.any(',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), fc.string({ unit: 'binary' }), (parts, more) => {
      for (const text of [parts.join(' '), more]) {
        try {
          parseSpiceDbSchema(text)
        } catch (error) {
          expect(isZanzibarError(error)).toBe(true)
        }
      }
    }),
    { numRuns: 100 },
  )
})
