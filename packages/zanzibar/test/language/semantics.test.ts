import { type errors, validator } from '@openfga/syntax-transformer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { validateDsl } from '../../src/dsl/validate-dsl.ts'
import { lintModel } from '../../src/model/lint-model.ts'
import { printModel } from '../../src/model/print-model.ts'
import { readModel } from '../../src/model/read-model.ts'
import { misnamed } from './misnamed.ts'
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
  readonly kind: string
  readonly message: string
  /** `line:column-end`; where nothing is found their lines are counted from before the text. */
  readonly place: string | undefined
}

/** Of the published tools, which do not find what their own vectors have them find by now: a type before a comment, a condition whose name begins another one's. Undefined where they fail. */
function theirs(text: string): readonly Found[] | undefined {
  const lines = text.split('\n')
  const areTypesFound = lines.every((line) => !/^\s*type\s.*#/.test(line))
  try {
    validator.validateDSL(text)
    return []
  } catch (error) {
    if (error instanceof TypeError) return undefined
    return (error as errors.ModelValidationError).errors.map(({ msg, line, column, metadata }) => {
      const at = line?.start ?? -1
      // The line above the type, where they do not find the relation below it.
      const isAbove = lines[at + 1]?.trim().startsWith('type ') === true
      const kind: string = metadata?.errorType ?? 'syntax'
      const isOther = kind === 'condition-not-used' && column?.start === 0
      const isFound = areTypesFound && at >= 0 && !isAbove && !isOther
      return {
        kind,
        message: msg,
        place: isFound ? `${at}:${column?.start}-${column?.end}` : undefined,
      }
    })
  }
}

function expectTheSame(text: string): readonly Found[] {
  const wanted = theirs(text)
  const found = validateDsl(text).map(({ kind, message, line, column }, at) => ({
    kind,
    message,
    place: wanted?.[at]?.place === undefined ? undefined : `${line.start}:${column.start}-${column.end}`,
  }))
  if (wanted !== undefined) expect(found).toEqual(wanted)
  return found
}

test("models are judged as by OpenFGA's tools, in the same places", () => {
  const kinds = new Set<string>()
  fc.assert(
    fc.property(fc.oneof(anyModel, completeModel), (model) => {
      for (const { kind } of expectTheSame(printModel(model))) kinds.add(kind)
    }),
    { numRuns: 200 },
  )
  expect(kinds.size).toBeGreaterThanOrEqual(6)
})

test.skipIf(missingVectors)('so are texts in which something is named or placed otherwise', () => {
  const cases = [
    ...vectorCases('dsl/dsl-semantic-validation-cases.yaml'),
    ...vectorCases('dsl/dsl-syntax-validation-cases.yaml'),
  ]
  const kinds = new Set<string>()
  fc.assert(
    fc.property(misnamed(cases.map(({ dsl }) => dsl)), (text) => {
      for (const { kind } of expectTheSame(text)) kinds.add(kind)
    }),
    { numRuns: 3000 },
  )
  // All that the DSL lets them find.
  expect([...kinds].toSorted()).toEqual([
    'condition-not-defined',
    'condition-not-used',
    'duplicated-error',
    'invalid-name',
    'invalid-relation-on-tupleset',
    'invalid-relation-type',
    'invalid-schema',
    'invalid-type',
    'missing-definition',
    'relation-no-entry-point',
    'reserved-relation-keywords',
    'reserved-type-keywords',
    'schema-version-required',
    'syntax',
    'tupleuserset-not-direct',
  ])
})
