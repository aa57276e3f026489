import { type errors, transformer } from '@openfga/syntax-transformer'
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

interface Told {
  readonly message: string
  readonly place: string
}

function told(files: readonly { readonly name: string; readonly text: string }[]): readonly Told[] {
  try {
    parseModules(files)
    return []
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    return error.positions.map(({ message, file, line, column }) => ({
      message,
      place: `${file}:${line.start}:${column.start}-${column.end}`,
    }))
  }
}

function toldByTools(files: readonly { readonly name: string; readonly text: string }[]): readonly Told[] {
  try {
    transformer.transformModuleFilesToModel(
      files.map(({ name, text }) => ({ name, contents: text })),
      '1.2',
    )
    return []
  } catch (error) {
    return (error as errors.ModuleTransformationError).errors.map(({ msg, file, line, column }) => ({
      message: msg,
      place: `${file}:${line?.start}:${column?.start}-${column?.end}`,
    }))
  }
}

test.each([
  ['a type that two modules define', 'module a\ntype user\n', 'module b\n\ntype user\n'],
  [
    'a relation of a type that two modules define',
    'module a\ntype user\ntype doc\n  relations\n    define x: [user]\n',
    'module b\n\ntype doc\n  relations\n    define y: z\n',
  ],
  [
    'a type that is defined and extended in one file',
    'module a\ntype user\n',
    'module b\ntype doc\n  relations\n    define x: [user]\n\nextend type doc\n  relations\n    define y: [user]\n',
  ],
])('%s is told as by the tools of OpenFGA', (_, a, b) => {
  const files = [
    { name: 'a.fga', text: a },
    { name: 'b.fga', text: b },
  ]
  expect(toldByTools(files)).not.toEqual([])
  expect(told(files)).toEqual(toldByTools(files))
})
