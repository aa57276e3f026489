import { describe, expect, test } from 'vitest'
import { isZanzibarError } from '../errors.ts'
import { parseModel } from './parse-model.ts'

const model = (definition: string): string =>
  `model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define a: [user]\n    define b: ${definition}\n`
const rewriteOf = (definition: string): unknown =>
  parseModel(model(definition)).type_definitions[1]?.relations?.['b']
const a = { computedUserset: { relation: 'a' } }

function problems(text: string): readonly string[] {
  try {
    parseModel(text)
  } catch (error) {
    if (!isZanzibarError(error) || error.code !== 'invalid_syntax') throw error
    return error.positions.map(({ message, line, column }) => `${line.start}:${column.start} ${message}`)
  }
  return []
}

describe('parseModel', () => {
  test('reads types, relations, restrictions and conditions', () => {
    const text = `model
  schema 1.1
type user
type doc
  relations
    define viewer: [user, user:* with c, doc#viewer] or (owner but not viewer from parent)
condition c(at: timestamp, names: list<string>) {
  at < timestamp("2026-01-01T00:00:00Z") // comments go
    && "a" in names
}`
    expect(parseModel(text)).toEqual({
      schema_version: '1.1',
      type_definitions: [
        { type: 'user', relations: {}, metadata: null },
        {
          type: 'doc',
          relations: {
            viewer: {
              union: {
                child: [
                  { this: {} },
                  {
                    difference: {
                      base: { computedUserset: { relation: 'owner' } },
                      subtract: {
                        tupleToUserset: {
                          tupleset: { relation: 'parent' },
                          computedUserset: { relation: 'viewer' },
                        },
                      },
                    },
                  },
                ],
              },
            },
          },
          metadata: {
            relations: {
              viewer: {
                directly_related_user_types: [
                  { type: 'user' },
                  { type: 'user', wildcard: {}, condition: 'c' },
                  { type: 'doc', relation: 'viewer' },
                ],
              },
            },
          },
        },
      ],
      conditions: {
        c: {
          name: 'c',
          expression: 'at < timestamp("2026-01-01T00:00:00Z") \n    && "a" in names',
          parameters: {
            at: { type_name: 'TYPE_NAME_TIMESTAMP' },
            names: { type_name: 'TYPE_NAME_LIST', generic_types: [{ type_name: 'TYPE_NAME_STRING' }] },
          },
        },
      },
    })
  })

  test.each([
    ['(a)', a],
    ['((a or a) and a)', { intersection: { child: [{ union: { child: [a, a] } }, a] } }],
    [
      'a or (a but not (a and a))',
      { union: { child: [a, { difference: { base: a, subtract: { intersection: { child: [a, a] } } } }] } },
    ],
  ])('reads the parentheses of %s', (definition, rewrite) => {
    expect(rewriteOf(definition)).toEqual(rewrite)
  })

  test('reads parentheses as deep as they are', () => {
    const deep = 1000
    expect(rewriteOf(`${'('.repeat(deep)}a${')'.repeat(deep)}`)).toEqual(a)
    expect(problems(model(`${'('.repeat(deep)}a`))).toHaveLength(1)
    let rewrite = rewriteOf(`${'(a or '.repeat(deep)}a${')'.repeat(deep)}`)
    let depth = 0
    while (typeof rewrite === 'object' && rewrite !== null && 'union' in rewrite) {
      rewrite = (rewrite.union as { child: unknown[] }).child[1]
      depth++
    }
    expect(depth).toBe(deep)
  })

  test('keeps names that mean something to JavaScript', () => {
    const text = model('[user]')
      .replaceAll('define b', 'define __proto__')
      .replaceAll('type user', 'type constructor')
    const read = parseModel(text)
    expect(read.type_definitions[0]?.type).toBe('constructor')
    expect(Object.keys(read.type_definitions[1]?.relations ?? {})).toEqual(['a', '__proto__'])
    expect(problems(text.replace('define a', 'define toString'))).toEqual([])
  })

  test('tells all errors, each with its place', () => {
    const text = model('[user').replace('define a', 'define a a')
    expect(problems(text)).toEqual([
      "5:13 extraneous input 'a' expecting ':'",
      "7:0 mismatched input '<EOF>' expecting {',', WHITESPACE, ']'}",
    ])
    expect(() => parseModel(text)).toThrow(
      '2 errors occurred:\n\t* syntax error at line=5, column=13: extraneous',
    )
  })

  test.each([
    ['nothing', ''],
    ['a word of a million letters', 'a'.repeat(1e6)],
    ['a million of quotes', '"'.repeat(1e6)],
    ['NUL and lone surrogates', '\0\ud800\udfff'],
    ['a string that never ends', `model\n  schema 1.1\n"""${'\\'.repeat(1e5)}`],
  ])('refuses %s', (_, text) => {
    expect(problems(text).length).toBeGreaterThan(0)
  })
})
