import { type errors, transformer } from '@openfga/syntax-transformer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseModel } from '../../src/dsl/parse-model.ts'
import { isZanzibarError } from '../../src/errors.ts'
import { canonical, vectorNames, vectorText } from './vectors.ts'

const own = `model
  schema 1.1

# people
type user
type group
  relations
    define member: [user, user:*, group#member with in_office] # all
type document
  relations
    define parent: [document]
    define owner: [user with in_office]
    define viewer: [user] or (owner and (member from parent or viewer from parent)) or type
    define blocked: ((owner but not viewer))
    define type: [group]
condition in_office(ip: ipaddress, ranges: list<string>, n: map<int>) {
  ip.in_cidr("10.0.0.0/8") && size(ranges) > 0 // office
    || n["a"] == 0x1F
}
`
const module = `module core
type user
extend type org/unit
  relations
    define member: [user]
`
const texts = [
  own,
  module,
  ...vectorNames('dsl/transformer').map((name) =>
    vectorText(`dsl/transformer/${name}/authorization-model.fga`),
  ),
].filter((text) => text.length < 1500)

const signs = '# : * [ ] ( ) , == != < <= >= > && || { } . - ! ? + / % = & | @ $ \\ ` " \' """ é 😀'
const words =
  'and or module model schema 1.1 in true null "a" b"x" "\\q" 0x1F 1u 1.5e3 .5 1e a-b a.b/c a- list map< string __proto__'
const longer =
  ' or | and | but not |but not| from | with |module x|extend |type |condition |relations|relation|define |//x\n|  # c|((a))| or (b and (c or d))|as self|    define viewer: [user]\n| |  |\t|\r|\f|\n|\n\n'
const pieces = [...signs.split(' '), ...words.split(' '), ...longer.split('|'), "r'''a\n'''"]

/** Cuts `cut` characters at a place (of 1000) and puts a piece, or a part of the text itself, there. */
const edit = fc.record({
  at: fc.nat(999),
  cut: fc.oneof({ weight: 3, arbitrary: fc.nat(6) }, fc.nat(80)),
  put: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('', ...pieces) },
    fc.record({ from: fc.nat(999), length: fc.nat(60) }),
  ),
})

const mutated = fc
  .record({ text: fc.constantFrom(...texts), edits: fc.array(edit, { minLength: 1, maxLength: 3 }) })
  .map(({ text, edits }) =>
    edits.reduce((now, { at, cut, put }) => {
      const place = (thousandths: number): number => Math.floor((now.length * thousandths) / 1000)
      const piece = typeof put === 'string' ? put : now.slice(place(put.from), place(put.from) + put.length)
      return now.slice(0, place(at)) + piece + now.slice(place(at) + cut)
    }, text),
  )

type Answer = { readonly model: unknown } | { readonly errors: readonly string[] }

function ours(text: string): Answer {
  try {
    return { model: canonical(parseModel(text)) }
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    return {
      errors: error.positions.map(
        ({ message, line, column }) => `${line.start}-${line.end}:${column.start}-${column.end} ${message}`,
      ),
    }
  }
}

function theirs(text: string): Answer {
  try {
    return { model: canonical(transformer.transformDSLToJSONObject(text)) }
  } catch (error) {
    const problems = (error as errors.DSLSyntaxError).errors
    return {
      errors: problems.map(
        ({ line, column, msg }) => `${line?.start}-${line?.end}:${column?.start}-${column?.end} ${msg}`,
      ),
    }
  }
}

test('texts with errors are answered as by the parser of OpenFGA, word for word and place for place', () => {
  for (const text of texts) expect(ours(text)).toEqual(theirs(text))
  fc.assert(
    fc.property(mutated, (text) => {
      expect(ours(text)).toEqual(theirs(text))
    }),
    { numRuns: 500 },
  )
})
