import { transformer } from '@openfga/syntax-transformer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseModel } from '../../src/dsl/parse-model.ts'
import type { AuthorizationModel } from '../../src/model/authorization-model.ts'
import { printModel } from '../../src/model/print-model.ts'
import { readModel } from '../../src/model/read-model.ts'
import { anyModel } from './random-models.ts'
import { canonical, missingVectors, vectorCases, vectorNames, vectorText } from './vectors.ts'

describe.skipIf(missingVectors)("OpenFGA's vectors of JSON models", () => {
  test.each(vectorNames('dsl/transformer'))('%s is printed as it was written', (name) => {
    const json: unknown = JSON.parse(vectorText(`dsl/transformer/${name}/authorization-model.json`))
    expect(printModel(readModel(json))).toBe(vectorText(`dsl/transformer/${name}/authorization-model.fga`))
  })

  test.each(vectorNames('dsl/transformer-module').filter((name) => name.startsWith('02')))(
    '%s is printed with and without where its parts are from',
    (name) => {
      const at = (file: string): string => vectorText(`dsl/transformer-module/${name}/${file}`)
      const model = readModel(JSON.parse(at('authorization-model.json')))
      expect(printModel(model)).toBe(at('combined.fga'))
      expect(printModel(model, { sourceInfo: true })).toBe(at('combined-sourceinfo.fga'))
    },
  )

  test.each(vectorCases('dsl/json-syntax-transformer-validation-cases.yaml'))(
    '$name',
    ({ json, valid, error_message: message }) => {
      const print = (): string => printModel(readModel(JSON.parse(json)))
      if (valid) expect(print()).toBe(transformer.transformJSONStringToDSL(json))
      else expect(print).toThrow(String(message))
    },
  )
})

/** The transformer sorts what it is given in place. */
const theirs = (model: AuthorizationModel): string =>
  transformer.transformJSONStringToDSL(JSON.stringify(model))

test('models are printed as OpenFGA prints them, and what is printed is read again', () => {
  fc.assert(
    fc.property(anyModel, (model) => {
      const text = printModel(model)
      expect(text).toBe(theirs(model))
      expect(canonical(parseModel(text))).toEqual(canonical(transformer.transformDSLToJSONObject(text)))
      expect(printModel(parseModel(text))).toBe(text)
      expect(readModel(JSON.parse(JSON.stringify(model)))).toEqual(model)
    }),
    { numRuns: 100 },
  )
})
