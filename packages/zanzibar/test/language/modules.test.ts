import { describe, expect, test } from 'vitest'
import { parseModules } from '../../src/dsl/parse-modules.ts'
import { isZanzibarError, type Position } from '../../src/errors.ts'
import {
  canonical,
  type ExpectedError,
  hasVector,
  missingVectors,
  vectorNames,
  vectorText,
} from './vectors.ts'

const folder = 'dsl/transformer-module'

function problems(name: string): readonly Position[] {
  try {
    parseModules(filesOf(name))
    return []
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    return error.positions
  }
}

function filesOf(name: string): readonly { name: string; text: string }[] {
  const at = `${folder}/${name}/module`
  return vectorNames(at).map((file) => ({ name: file, text: vectorText(`${at}/${file}`) }))
}

describe.skipIf(missingVectors)("OpenFGA's vectors of modules", () => {
  const names = vectorNames(folder).filter((name) => hasVector(`${folder}/${name}/module`))

  test.each(names.filter((name) => hasVector(`${folder}/${name}/authorization-model.json`)))(
    '%s becomes one model',
    (name) => {
      const json: unknown = JSON.parse(vectorText(`${folder}/${name}/authorization-model.json`))
      expect(canonical(parseModules(filesOf(name)))).toEqual(canonical(json))
    },
  )

  test.each(names.filter((name) => hasVector(`${folder}/${name}/expected_errors.json`)))(
    '%s is refused',
    (name) => {
      const errors: readonly ExpectedError[] = JSON.parse(
        vectorText(`${folder}/${name}/expected_errors.json`),
      )
      expect(
        problems(name).map(({ message, file, line, column }) => ({ message, file, line, column })),
      ).toEqual(errors.map(({ msg, file, line, column }) => ({ message: msg, file, line, column })))
    },
  )
})

test('a type that two modules define is told with its first place', () => {
  const files = [
    { name: 'a.fga', text: 'module a\ntype user\n' },
    { name: 'b.fga', text: 'module b\n\ntype user\n' },
  ]
  expect(() => parseModules(files)).toThrow('the type `user` is a duplicate.')
})
