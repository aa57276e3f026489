import { describe, expect, test } from 'vitest'
import { parseModel, printModelGraph } from '../../src/index.ts'
import { missingVectors, vectorNames, vectorText } from './vectors.ts'

describe.skipIf(missingVectors)("OpenFGA's vectors of graphs", () => {
  test.each(vectorNames('dsl/transformer'))('%s is drawn as its tools draw it', (name) => {
    const model = parseModel(vectorText(`dsl/transformer/${name}/authorization-model.fga`))
    expect(printModelGraph(model)).toBe(
      vectorText(`dsl/transformer/${name}/authorization-model.dot`).trimEnd(),
    )
  })
})

test('names that DOT would take for something else are quoted', () => {
  const types = ['graph', 'a"b', 'x-y', 'ok_1']
  const model = { schema_version: '1.1', type_definitions: types.map((type) => ({ type })) }
  expect(printModelGraph(model)).toContain(
    '0 [label="a\\"b"];\n1 [label="graph"];\n2 [label=ok_1];\n3 [label="x-y"];',
  )
})
