import { type errors, validator } from '@openfga/syntax-transformer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { validateDsl } from '../../src/dsl/validate-dsl.ts'
import { lintModel } from '../../src/model/lint-model.ts'
import { printModel } from '../../src/model/print-model.ts'
import { readModel } from '../../src/model/read-model.ts'
import { anyModel, completeModel } from './random-models.ts'
import { missingVectors, vectorCases } from './vectors.ts'

describe.skipIf(missingVectors)("OpenFGA's vectors of models that make no sense", () => {
  test.each(vectorCases('dsl/dsl-semantic-validation-cases.yaml'))(
    '$name',
    ({ dsl, skip, expected_errors: errors }) => {
      const wanted = (errors ?? []).map(({ msg, line, column, metadata }) => ({
        kind: metadata?.errorType,
        message: msg,
        line,
        column,
      }))
      // OpenFGA's tools do not find these either: such loops are none, as each relation has direct users.
      expect(validateDsl(dsl)).toEqual(skip === true ? [] : wanted)
    },
  )

  test.each(vectorCases('dsl/json-validation-cases.yaml'))(
    'in JSON: $name',
    ({ json, expected_errors: errors }) => {
      const found = lintModel(readModel(JSON.parse(json)))
      expect(found.map(({ kind, message, symbol }) => ({ kind, message, symbol }))).toEqual(
        (errors ?? []).map(({ msg, metadata }) => ({
          kind: metadata?.errorType,
          message: msg,
          symbol: metadata?.symbol,
        })),
      )
    },
  )
})

interface Found {
  readonly kind: string | undefined
  readonly message: string
  readonly line: number | undefined
  readonly column: number | undefined
}

function theirs(text: string): readonly Found[] {
  try {
    validator.validateDSL(text)
    return []
  } catch (error) {
    return (error as errors.ModelValidationError).errors.map(({ msg, line, column, metadata }) => ({
      kind: metadata?.errorType,
      message: msg,
      line: line?.start,
      column: column?.start,
    }))
  }
}

test("models are judged as by OpenFGA's tools", () => {
  const kinds = new Set<string>()
  fc.assert(
    fc.property(fc.oneof(anyModel, completeModel), (model) => {
      const text = printModel(model)
      const lines = text.split('\n')
      const found = validateDsl(text)
      const wanted = theirs(text)
      for (const { kind } of found) kinds.add(kind)
      expect(found.map(({ kind, message }) => ({ kind, message }))).toEqual(
        wanted.map(({ kind, message }) => ({ kind, message })),
      )
      for (const [i, { message, line, column }] of found.entries()) {
        // Of a repeated restriction they look for the line behind its type, not behind that of the relation.
        if (message.startsWith('the type restriction')) continue
        expect(line.start).toBe(wanted[i]?.line)
        // They look for the word in the line and take its first place, be that another thing of the same name; for a type they look
        // between the first two colons only.
        const symbol = lines[line.start]?.slice(column.start, column.end) ?? ''
        const isAlone =
          lines[line.start]?.split(symbol).length === 2 && lines[line.start]?.split(':').length === 2
        if (isAlone && /^\w+( \w+)*$/.test(symbol)) expect(column.start).toBe(wanted[i]?.column)
      }
    }),
    { numRuns: 200 },
  )
  expect(kinds.size).toBeGreaterThanOrEqual(6)
})
