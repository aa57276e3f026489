import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fromPackage, resolveSource } from '../../src/adapters/node.ts'
import { compose } from '../../src/index.ts'

const home = realpathSync(mkdtempSync(join(tmpdir(), 'hydra-config-')))

beforeAll(async () => {
  const files: Record<string, string> = {
    'node_modules/plain/package.json': '{"name": "plain"}',
    'node_modules/plain/conf/config.yaml': 'from: plain\n',
    'node_modules/@scope/mapped/package.json':
      '{"name": "@scope/mapped", "exports": {".": "./main.js", "./conf/*": {"browser": "./no/*", "default": "./dist/conf/*"}}}',
    'node_modules/@scope/mapped/dist/conf/db/config.yaml': 'from: mapped\n',
    'node_modules/closed/package.json': '{"name": "closed", "exports": "./main.js"}',
    'node_modules/closed/conf/config.yaml': 'from: closed\n',
    'node_modules/wide/package.json': '{"name": "wide", "exports": {"./*": "./*", "./secret/*": null}}',
    'node_modules/wide/conf/config.yaml': 'from: wide\n',
    'node_modules/wide/secret/config.yaml': 'from: secret\n',
    'node_modules/escaping/package.json':
      '{"name": "escaping", "exports": {"./conf/*": "./../plain/conf/*"}}',
    'node_modules/broken/package.json': '{"name": ',
    'node_modules/broken/conf/config.yaml': 'from: broken\n',
    'packages/app/src/main.ts': '',
    'packages/app/node_modules/plain/package.json': '{"name": "plain"}',
    'packages/app/node_modules/plain/conf/config.yaml': 'from: nearer\n',
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(home, path)), { recursive: true })
    await writeFile(join(home, path), text)
  }
})

afterAll(() => rmSync(home, { recursive: true }))

async function outcome(path: string, from: string | URL = home): Promise<unknown> {
  try {
    const { value } = await compose({ source: fromPackage(path, { from }), config: 'config' })
    return value
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

test.each([
  ['pkg://plain/conf', { from: 'plain' }],
  ['pkg://@scope/mapped/conf/db', { from: 'mapped' }],
  ['pkg://wide/conf', { from: 'wide' }],
  ['pkg://wide/secret', 'SOURCE_NOT_FOUND'],
  ['pkg://closed/conf', 'SOURCE_NOT_FOUND'],
  ['pkg://escaping/conf', 'SOURCE_NOT_FOUND'],
  ['pkg://broken/conf', 'SOURCE_NOT_FOUND'],
  ['pkg://plain/nothing', 'SOURCE_NOT_FOUND'],
  ['pkg://missing/conf', 'SOURCE_NOT_FOUND'],
  ['pkg://plain/../closed/conf', 'INVALID_OPTION'],
  ['pkg://../plain', 'INVALID_OPTION'],
  ['pkg://', 'INVALID_OPTION'],
  ['plain/conf', 'INVALID_OPTION'],
])('%s', async (path, expected) => {
  expect(await outcome(path)).toEqual(expected)
})

test('a package is looked for from where it is asked for', async () => {
  const main = join(home, 'packages/app/src/main.ts')
  expect(await outcome('pkg://plain/conf', pathToFileURL(main))).toEqual({ from: 'nearer' })
  expect(await outcome('pkg://wide/conf', main)).toEqual({ from: 'wide' })
})

test('the entries of a search path are directories and packages', async () => {
  const source = async (path: string): Promise<readonly [string, readonly string[]]> => {
    const found = resolveSource(path, { from: home })
    return [found.path, [...(await found.files()).keys()]]
  }
  const plain = join(home, 'node_modules/plain/conf')
  expect(await source('pkg://plain/conf')).toEqual(['pkg://plain/conf', ['config.yaml']])
  expect(await source(`file://${plain}`)).toEqual([`file://${plain}`, ['config.yaml']])
  expect(await source(plain)).toEqual([`file://${plain}`, ['config.yaml']])
  expect(() => resolveSource('https://example.org/conf')).toThrow(/takes file:\/\/ and pkg:\/\//)
})
