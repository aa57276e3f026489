import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lint } from '../../src/cli/lint.ts'
import { testStores } from '../../src/cli/test-stores.ts'
import { parseStoreFile } from '../../src/store-file/store-file.ts'
import { isToolId } from '../../src/store-file/tool-ids.ts'
import { missingVectors, vector, vectorNames, vectorPath, vectorText } from './vectors.ts'

interface IdCase {
  readonly name: string
  readonly object_id: string
  readonly valid: boolean
}

describe.skipIf(missingVectors)("OpenFGA's vectors of object ids", () => {
  test.each(missingVectors === false ? (vector('dsl/object-id-validation-cases.yaml') as IdCase[]) : [])(
    '$name',
    ({ object_id: id, valid }) => expect(isToolId(id)).toBe(valid),
  )
})

interface StoreError {
  readonly keyword: string
  readonly instancePath: string
  readonly params?: { readonly additionalProperty: string }
}

describe.skipIf(missingVectors)("OpenFGA's vectors of store files", () => {
  const folder = 'dsl/stores'
  test.each(vectorNames(folder))('%s', async (name) => {
    const path = vectorPath(join(folder, name, 'store.fga.yaml'))
    const isBroken = vectorNames(join(folder, name)).includes('expected_errors.json')
    const { lines, failed } = await testStores([path])
    expect(failed).toBe(isBroken)
    expect((await lint([path])).failed).toBe(isBroken)
    if (!isBroken) return
    const errors = JSON.parse(vectorText(join(folder, name, 'expected_errors.json'))) as StoreError[]
    for (const { keyword, instancePath, params } of errors) {
      if (keyword === 'valid_store') expect(lines[0]).toContain('has neither model nor model_file')
      else
        expect(lines[0]).toContain(`${placeOf(instancePath)}${params?.additionalProperty} is not a property`)
    }
  })
})

/** `/tests/0/check/0` is `tests[0].check[0].`. */
function placeOf(pointer: string): string {
  return pointer
    .slice(1)
    .replaceAll(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.')
    .replace(/(.)$/, '$1.')
}

test('says every property that a store file does not have, and its place', () => {
  const file = {
    model: '',
    tupels: [],
    tests: [{ name: 'a', check: [{ user: 'user:1', object: 'document:1', assertion: {}, assertions: {} }] }],
  }
  expect(() => parseStoreFile(file)).toThrow(
    'tupels is not a property of store files; tests[0].check[0].assertion is not a property of store files',
  )
  expect(() => parseStoreFile(JSON.parse('{"model":"","__proto__":1}'))).toThrow(
    '__proto__ is not a property',
  )
})
