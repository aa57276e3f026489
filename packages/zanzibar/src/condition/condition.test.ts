import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { typeNamed } from '../../test/conformance/condition.ts'
import { brokenCase, conditionCase } from '../../test/differential/condition-cases.ts'
import { answer } from '../../test/differential/conditions.ts'
import { isZanzibarError } from '../errors.ts'
import type { Context, Json } from '../tuple/tuple.ts'
import { type CompiledCondition, compileCondition, type Evaluation } from './condition.ts'

type Types = Readonly<Record<string, string>>

function compile(expression: string, types: Types = {}): CompiledCondition {
  const parameters = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, typeNamed(type)]))
  return compileCondition({ name: 'cond', expression, parameters })
}

function evaluate(expression: string, types: Types, context: Context, maxCost = 100): Evaluation {
  return compile(expression, types).evaluate([context], { maxCost })
}

function refusal(body: () => unknown): { code: string; message: string } {
  try {
    body()
  } catch (error) {
    if (isZanzibarError(error)) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('it was not refused')
}

// Every row was put to OpenFGA's own conditions (v1.22.1) with test/differential/condition-oracle.
describe('results and costs are those of OpenFGA', () => {
  test.each<[expression: string, types: Types, context: Context, met: boolean, cost: number]>([
    ['x < y', { x: 'int', y: 'int' }, { x: 1, y: 2 }, true, 3],
    ["'d' in l", { l: 'list<string>' }, { l: ['a', 'b', 'c'] }, false, 4],
    ["s in ['a', 'b', 'c']", { s: 'string' }, { s: 'b' }, true, 1],
    ["ip.in_cidr('10.0.0.0/8')", { ip: 'ipaddress' }, { ip: '::ffff:10.1.2.3' }, true, 2],
    [
      'now < grant + span',
      { now: 'timestamp', grant: 'timestamp', span: 'duration' },
      { now: '2023-01-01T00:09:50Z', grant: '2023-01-01T00:00:00Z', span: '10m' },
      true,
      5,
    ],
    ["has(m.a) && m['a'] == 'q'", { m: 'map<string>' }, { m: { a: 'q' } }, true, 5],
    ['[1, 2, 3].filter(i, i > x).map(j, j * 2) == [4, 6]', { x: 'int' }, { x: 1 }, true, 66],
    ['m.a.b == 1.0', { m: 'map<any>' }, { m: { a: { b: 1 } } }, true, 4],
    ['(b ? x : y) == 1', { b: 'bool', x: 'int', y: 'int' }, { b: true, x: 1, y: 2 }, true, 2],
    ['1 / x > 0 || x == 0', { x: 'int' }, { x: 0 }, true, 4],
    ["s.matches('^(a+)+$')", { s: 'string' }, { s: 'aaab' }, false, 3],
    ['ts.getHours("Asia/Kolkata") == 5', { ts: 'timestamp' }, { ts: '2023-01-01T00:00:00Z' }, true, 3],
  ])('%s', (expression, types, context, met, cost) => {
    expect(evaluate(expression, types, context)).toEqual({ met, missing: [], cost })
  })

  test.each([
    [9_007_199_254_740_993n, '9007199254740993'],
    [9_223_372_036_854_775_807n, '9223372036854775807'],
    [-7n, '-7'],
    [1000n, '1e3'],
  ])('an int keeps its 64 bits: %s', (exact, text) => {
    expect(evaluate(`x == ${exact}`, { x: 'int' }, { x: text }).met).toBe(true)
  })
})

// Asked of OpenFGA, as above.
test.each([
  ["dyn(x).matches('a+')", 'no such overload'],
  ["dyn(x).matches('a' + '+')", 'no such overload: matches'],
  ["timestamp(x).getMonth('/Asia') == 1", 'time: invalid location name'],
  ["timestamp(x).getMonth('Asia/..') == 1", 'time: invalid location name'],
  ["timestamp(x).getMonth('Nowhere/Else') == 1", 'unknown time zone Nowhere/Else'],
])('%s fails: %s', (expression, problem) => {
  expect(refusal(() => evaluate(expression, { x: 'int' }, { x: 1 })).message).toBe(
    `failed to evaluate relationship condition: 'cond' - failed to evaluate condition expression: ${problem}`,
  )
})

describe('costs end an evaluation', () => {
  test.each([
    ['x < y', { x: 'int', y: 'int' }, { x: 1, y: 2 }, 3],
    ["'a' in l", { l: 'list<string>' }, { l: ['a', 'b', 'c'] }, 4],
  ] as const)('%s', (expression, types, context, cost) => {
    expect(evaluate(expression, types, context, cost).met).toBe(true)
    expect(refusal(() => evaluate(expression, types, context, cost - 1))).toEqual({
      code: 'validation_error',
      message:
        "failed to evaluate relationship condition: 'cond' - failed to evaluate condition expression: operation cancelled: actual cost limit exceeded",
    })
  })

  test('nothing absorbs it', () => {
    expect(refusal(() => evaluate('x == 2 || true', { x: 'int' }, { x: 1 }, 1)).code).toBe('validation_error')
  })
})

describe('contexts', () => {
  const { evaluate: run } = compile('x == 1 || y', { x: 'int', y: 'bool' })
  const condition = compile('x == 1 || y', { x: 'int', y: 'bool' })

  test('a later one overrides an earlier one', () => {
    expect(run).toBeTypeOf('function')
    const limits = { maxCost: 100 }
    expect(condition.evaluate([{ x: 2, y: false }, { x: 1 }], limits).met).toBe(true)
    expect(condition.evaluate([{ x: 1 }, { x: 2, y: false }], limits).met).toBe(false)
    expect(condition.evaluate([undefined, { x: 1, y: false }], limits).met).toBe(true)
  })

  test('a missing parameter is told, even where the answer does not depend on it', () => {
    expect(condition.evaluate([{ x: 1 }], { maxCost: 100 })).toEqual({ met: true, missing: ['y'], cost: 2 })
    expect(condition.evaluate([], { maxCost: 100 })).toMatchObject({ met: false, missing: ['x', 'y'] })
  })

  test.each<[string, Json, string]>([
    ['int', 1.5, "expected an int value, but found numeric value '1.5'"],
    ['int', 'a', "expected a int64 value, but found invalid string value 'a'"],
    ['uint', -1, "expected a uint value, but found int64 value '-1'"],
    // Ten digits, as OpenFGA 1.22.1 has them.
    ['uint', -12345678901, "expected a uint value, but found int64 value '-1.23456789e+10'"],
    ['uint', '-9223372036854775809', "expected a uint value, but found int64 value '-9.223372037e+18'"],
    ['double', '0.1', 'number cannot be represented as a float64: 0.1'],
    ['bool', 'true', "expected type value 'bool', but found 'string'"],
    ['string', null, "expected type value 'string', but found '%!s(<nil>)'"],
    ['duration', '2sm', "expected a valid duration string, but found: '2sm'"],
    ['timestamp', '2023-0914', "expected RFC 3339 formatted timestamp string, but found '2023-0914'"],
    ['ipaddress', 'x', "expected a well-formed IP address, but found: 'x'"],
    [
      'list<int>',
      ['1', 'b'],
      "found an invalid list item at index `1`: expected a int64 value, but found invalid string value 'b'",
    ],
    [
      'map<bool>',
      { k: 1 },
      "found an invalid value for key 'k': expected type value 'bool', but found 'float64'",
    ],
  ])('a value that is no %s', (type, value, problem) => {
    const typed = compile('true', { x: type })
    const message = `parameter type error on condition 'cond' - failed to convert context parameter 'x': ${problem}`
    expect(refusal(() => typed.evaluate([{ x: value }], { maxCost: 100 })).message).toBe(
      `failed to evaluate relationship condition: ${message}`,
    )
    expect(typed.contextProblem({ x: value })).toBe(message)
  })

  test('a tuple may carry declared parameters only, a question may carry others', () => {
    expect(condition.contextProblem({ x: 1 })).toBeUndefined()
    expect(condition.contextProblem({ x: 1, z: 1 })).toBe('found invalid context parameter: z')
    expect(condition.evaluate([{ x: 1, y: true, z: 1 }], { maxCost: 100 }).missing).toEqual([])
    const none = "parameter type error on condition 'cond' - no parameters defined for the condition"
    expect(compile('true').contextProblem({ x: 1 })).toBe(none)
    expect(refusal(() => evaluate('true', {}, { x: 1 })).message).toContain(none)
  })

  test('names that objects have are ordinary ones', () => {
    const context: Context = JSON.parse('{"m": {"__proto__": "a"}, "__proto__": {"x": 1}}')
    expect(
      evaluate("m['__proto__'] == 'a' && !('constructor' in m)", { m: 'map<string>' }, context).met,
    ).toBe(true)
    expect(evaluate('x == 1', { x: 'int' }, context).missing).toEqual(['x'])
  })
})

describe('what does not compile', () => {
  test.each([
    [
      'x < 1.5',
      "ERROR: cond:1:3: found no matching overload for '_<_' applied to '(int, double)'\n | x < 1.5\n | ..^",
    ],
    ['x', "expected a bool condition expression output, but got 'int'"],
    [
      'has(x.?b)',
      "ERROR: cond:1:6: unsupported syntax '.?'\n | has(x.?b)\n | .....^\nERROR: cond:1:6: invalid argument to has() macro\n | has(x.?b)\n | .....^",
    ],
    [
      '[x].map(y, true, y, 1) == [1]',
      "ERROR: cond:1:8: undeclared reference to 'map' (in container '')\n | [x].map(y, true, y, 1) == [1]\n | .......^\nERROR: cond:1:9: undeclared reference to 'y' (in container '')\n | [x].map(y, true, y, 1) == [1]\n | ........^\nERROR: cond:1:18: undeclared reference to 'y' (in container '')\n | [x].map(y, true, y, 1) == [1]\n | .................^",
    ],
    [
      'x == 1 && map',
      "ERROR: cond:1:11: expected type 'bool' but found 'type(map(dyn, dyn))'\n | x == 1 && map\n | ..........^",
    ],
    [
      '[x].all(for, if(while))',
      'ERROR: cond:1:9: reserved identifier: for\n | [x].all(for, if(while))\n | ........^\nERROR: cond:1:9: argument must be a simple name\n | [x].all(for, if(while))\n | ........^\nERROR: cond:1:14: reserved identifier: if\n | [x].all(for, if(while))\n | .............^',
    ],
    [
      "'a'.matches('a{1001}?')",
      'condition expression construction: error parsing regexp: invalid repeat count: `{1001}`',
    ],
    ['y == 1', "ERROR: cond:1:1: undeclared reference to 'y' (in container '')\n | y == 1\n | ^"],
    ["x == int('a')", "condition expression construction: type conversion error from 'string' to 'int'"],
    ["'a'.matches('(')", 'condition expression construction: error parsing regexp: missing closing ): `(`'],
    [
      "'é'.size() < x &&",
      "ERROR: cond:1:18: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | 'é'.size() < x &&\n | .．...............^",
    ],
  ])('%s', (expression, problem) => {
    expect(refusal(() => compile(expression, { x: 'int' }))).toEqual({
      code: 'invalid_authorization_model',
      message: `failed to compile expression on condition 'cond' - ${problem}`,
    })
  })

  // Which of them compile was asked of OpenFGA.
  test.each(['[x,] == [1]', '[,] == []', '{x: 1,} == {1: 1}', '{,} == {}'])(
    'one comma at the end: %s',
    (expression) => {
      expect(evaluate(expression, { x: 'int' }, { x: 1 }).met).toBe(true)
    },
  )
  test.each(['[x, ,] == [1]', '[x,,] == [1]', '[,,] == []', '{x: 1, ,} == {1: 1}', '{,,} == {}'])(
    'two of them: %s',
    (expression) => {
      expect(refusal(() => compile(expression, { x: 'int' })).message).toContain("input ',' expecting '")
    },
  )

  test('a parameter without its element type', () => {
    const parameters = { x: { type_name: 'TYPE_NAME_LIST' } } as const
    const { message } = refusal(() => compileCondition({ name: 'cond', expression: 'true', parameters }))
    expect(message).toBe(
      "failed to compile expression on condition 'cond' - failed to decode parameter type for parameter 'x': condition parameter type `TYPE_NAME_LIST` requires 1 generic types; found 0",
    )
  })

  test.each([
    ['brackets', '('.repeat(50_000)],
    ['a chain', `x${' + x'.repeat(50_000)} > 1`],
    ['members', `m${'.a'.repeat(50_000)}`],
    ['negations', `${'!('.repeat(20_000)}x`],
    ['a huge source', ' '.repeat(200_000)],
    ['half a character', "s == '\ud800"],
  ])('%s end in an error of ours', (_what, expression) => {
    expect(refusal(() => compile(expression, { x: 'int', s: 'string', m: 'map<any>' })).code).toBe(
      'invalid_authorization_model',
    )
  })
})

test('whatever is asked, the answer is one or an error of ours', () => {
  fc.assert(
    fc.property(fc.oneof(conditionCase, brokenCase), (asked) => {
      expect(answer(asked)).toBeTypeOf('object')
    }),
    { numRuns: 300 },
  )
})
