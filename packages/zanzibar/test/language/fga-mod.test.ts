import { describe, expect, test } from 'vitest'
import { isZanzibarError, type Position } from '../../src/errors.ts'
import { readFgaMod } from '../../src/store-file/fga-mod.ts'
import { missingVectors, vectorCases } from './vectors.ts'

async function problems(text: string): Promise<readonly Position[]> {
  const error = await readFgaMod(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return isZanzibarError(error) ? error.positions : []
}

test('names the files of the modules', async () => {
  const text = "schema: '1.2'\ncontents:\n  - core.fga\n  - issue-tracker%2Fprojects.fga\n"
  expect(await readFgaMod(text)).toEqual({
    schema: '1.2',
    contents: ['core.fga', 'issue-tracker/projects.fga'],
  })
})

test.each(['', '[]', 'a: b', ': :', '\0', 'contents: [[a], {b: c}, null, ..\\x.fga]\nschema: null'])(
  'refuses %j',
  async (text) => {
    expect((await problems(text)).length).toBeGreaterThan(0)
  },
)

describe.skipIf(missingVectors)("OpenFGA's vectors of fga.mod", () => {
  test.each(vectorCases('dsl/fga-mod-transformer-cases.yaml'))(
    '$name',
    async ({ modFile, expected_errors: errors }) => {
      expect(
        (await problems(modFile)).map(({ message, line, column }) => ({ message, line, column })),
      ).toEqual((errors ?? []).map(({ msg, line, column }) => ({ message: msg, line, column })))
    },
  )
})
