import { toStandardJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { parseOverride } from '../override/parse.ts'
import { dictOf, listOf, secretOf, str } from '../structured/field.ts'
import { structured } from '../structured/structured.ts'
import { redact } from '../value/secret.ts'
import { dumpYaml } from '../yaml/dump.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { schemaSecrets } from './schema-secrets.ts'
import { SecretPaths } from './secret-paths.ts'
import { secretsOf } from './secrets.ts'

const shown = (patterns: readonly string[], text: string): string =>
  dumpYaml(redact(new SecretPaths(patterns).mark(parseYaml(text))))
    .replaceAll('\n', ' ')
    .trim()

test('a path marks a value and all that is in it; * is any key, ** any number of them', () => {
  const text = 'a: {token: t, b: {token: u, c: 1}}\nl: [x, {token: v}]\ntoken: w\n'
  expect(shown(['a.b'], text)).toBe(
    "a:   token: t   b:     token: '***'     c: '***' l: - x - token: v token: w",
  )
  expect(shown(['*.token'], text)).toBe(
    "a:   token: '***'   b:     token: u     c: 1 l: - x - token: v token: w",
  )
  expect(shown(['**.token'], text)).toBe(
    "a:   token: '***'   b:     token: '***'     c: 1 l: - x - token: '***' token: '***'",
  )
  expect(shown(['l.0'], text)).toContain("- '***' - token: v")
  expect(shown(['a'], 'a: {b: null, c: "???"}')).toBe('a:   b: null   c: ???')
})

test('an override shows nothing of a secret that it sets, and keeps everything else', () => {
  const paths = new SecretPaths(['db.password', '**.token'])
  const sealed = (text: string): string => paths.sealed(parseOverride(text)).text
  expect(sealed('db.password=hunter2')).toBe('db.password=***')
  expect(sealed('++db.password.deep=hunter2')).toBe('++db.password.deep=***')
  expect(sealed('db={host: h, password: hunter2}')).toBe('db=***')
  expect(sealed('a=[{token: hunter2}]')).toBe('a=***')
  expect(sealed('db.password=hunter2,hunter3')).toBe('db.password=***')
  expect(sealed('db={host: h}')).toBe('db={host: h}')
  expect(sealed('~db.password')).toBe('~db.password')
  expect(paths.sealed(parseOverride('db.password=x')).secretText).toBe('db.password=x')
  expect(paths.shownText('db.password=(hunter2')).toBe('db.password=***')
})

test('variables are named by patterns', () => {
  const { secretEnvironment = () => false } = secretsOf({ environment: ['*_PASSWORD', 'API_*_KEY', 'A.B'] })
  const names = ['DB_PASSWORD', 'DB_PASSWORD_FILE', 'API_X_KEY', 'API_KEY', 'A.B', 'AxB']
  expect(names.filter((name) => secretEnvironment(name))).toEqual(['DB_PASSWORD', 'API_X_KEY', 'A.B'])
  expect(() => secretsOf({ environment: [''] })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  expect(() => secretsOf({ paths: ['a..b'] })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})

test('schemas mark what is secret', () => {
  const db = structured('DB', { password: secretOf(str()), keys: listOf(str()) })
  expect(schemaSecrets(structured('App', { db, all: dictOf(str(), db) }))).toEqual([
    'db.password',
    'all.*.password',
  ])
  const tree: z.ZodType = z.object({
    token: z.string().meta({ format: 'password' }),
    get children() {
      return z.array(tree)
    },
  })
  expect(
    schemaSecrets(z.object({ db: z.object({ password: z.string().meta({ secret: true }) }), tree })),
  ).toEqual(expect.arrayContaining(['db.password', 'tree.token', 'tree.**.token']))
  const ofValibot = v.object({ keys: v.array(v.pipe(v.string(), v.metadata({ secret: true }))) })
  expect(schemaSecrets(toStandardJsonSchema(ofValibot))).toEqual(['keys.*'])
  expect(schemaSecrets(z.string())).toEqual([])
})
