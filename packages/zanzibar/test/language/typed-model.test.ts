import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AuthorizationModel } from '../../src/index.ts'
import * as zanzibar from '../../src/index.ts'
import { anyModel } from './random-models.ts'
import { canonical } from './vectors.ts'

/** Runs the module: what it imports is at hand, what it exports is given back. */
function run(text: string): unknown {
  const [imports = '', code = ''] = text.split(/\n\nexport const model = /)
  const names = /\{ (.*) \}/.exec(imports)?.[1]?.split(', ') ?? []
  const known = new Map<string, unknown>(Object.entries(zanzibar))
  return runInNewContext(code, Object.fromEntries(names.map((name) => [name, known.get(name)])))
}

/** Without repeated restrictions, which a typed model does not keep. */
function withoutRepeats(model: AuthorizationModel): unknown {
  return JSON.parse(JSON.stringify(model), (name, value: unknown) =>
    name === 'directly_related_user_types' && Array.isArray(value)
      ? [...new Map(value.map((each: unknown) => [JSON.stringify(each), each])).values()]
      : value,
  )
}

test('the module that is printed for a model defines that model', () => {
  fc.assert(
    fc.property(anyModel, (model) => {
      expect(canonical(run(zanzibar.printTypedModel(model)))).toEqual(canonical(withoutRepeats(model)))
    }),
    { numRuns: 60 },
  )
})

test('prints as one would write it', () => {
  const model = zanzibar.parseModel(`model
  schema 1.1
type user
type org/unit
  relations
    define __proto__: [user, user:* with c] or (b but not __proto__ from b)
    define b: [org/unit]
condition c(x: list<int>) {
  "a" == 'a'
}`)
  expect(
    zanzibar.printTypedModel(model),
  ).toBe(`import { butNot, defineModel, direct, from, or } from '@loadbearing/zanzibar'

export const model = defineModel({
  user: {},
  "org/unit": {
    ['__proto__']: or(direct("user", "user:* with c"), butNot("b", from("__proto__", "b"))),
    b: direct("org/unit"),
  },
}, {
  c: { parameters: { x: "list<int>" }, expression: "\\"a\\" == 'a'" },
})
`)
})
