import { describe, expect, test } from 'vitest'
import { readDocument } from '../../src/dsl/document.ts'
import { parseModel } from '../../src/dsl/parse-model.ts'
import type { Position } from '../../src/errors.ts'
import {
  canonical,
  type ErrorCase,
  type ExpectedError,
  missingVectors,
  vector,
  vectorCases,
  vectorNames,
  vectorText,
} from './vectors.ts'

const shown = ({ message, line, column }: Position): ExpectedError => ({ msg: message, line, column })
const wanted = ({ expected_errors: errors }: ErrorCase): readonly ExpectedError[] =>
  (errors ?? []).map(({ msg, line, column }) => ({ msg, ...(line && { line }), ...(column && { column }) }))

interface Suite {
  readonly tests: readonly { readonly name: string; readonly stages: readonly { readonly model: string }[] }[]
}

describe.skipIf(missingVectors)("OpenFGA's vectors of the DSL", () => {
  test.each(vectorNames('dsl/transformer'))('%s is the model that OpenFGA reads', (name) => {
    const text = vectorText(`dsl/transformer/${name}/authorization-model.fga`)
    const json: unknown = JSON.parse(vectorText(`dsl/transformer/${name}/authorization-model.json`))
    expect(canonical(parseModel(text))).toEqual(canonical(json))
  })

  test.each(vectorCases('dsl/dsl-syntax-validation-cases.yaml'))('$name', (each) => {
    expect(readDocument(each.dsl).positions.map(shown)).toEqual(wanted(each))
  })

  test.each(['consolidated_1_1_tests.yaml', 'abac_tests.yaml'])('the models of %s are read', (file) => {
    const { tests } = vector(file) as Suite
    for (const { model } of tests.flatMap(({ stages }) => stages)) {
      expect(parseModel(model).type_definitions.length).toBeGreaterThan(0)
    }
  })
})
