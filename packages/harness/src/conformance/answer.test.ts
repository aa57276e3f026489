import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerLine, type Operations } from './answer.ts'

const operations: Operations = {
  echo: (command) => command['value'],
  give: () => undefined,
}

async function ask(line: string | object, from: Operations = operations): Promise<unknown> {
  return JSON.parse(await answerLine(from, typeof line === 'string' ? line : JSON.stringify(line)))
}

function failing(error: unknown): Operations {
  return {
    fail: () => {
      throw error
    },
  }
}

describe('answerLine', () => {
  test('answers any JSON value as it came, with any JSON value as its id', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (id, value) => {
        const line = JSON.stringify({ id, op: 'echo', value })
        expect(await ask(line)).toEqual({ id: JSON.parse(line).id, ok: JSON.parse(line).value ?? null })
      }),
    )
  })

  test('gives one parseable line for any text whatever', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const answer = await answerLine(operations, text)
        expect(answer).not.toContain('\n')
        expect(JSON.parse(answer)).toMatchObject({ id: null, error: { code: 'BAD_COMMAND' } })
      }),
    )
  })

  test.each([
    ['an array', '[1]', null],
    ['null', 'null', null],
    ['no op', '{"id":7}', 7],
    ['an op that is no string', '{"id":"a","op":5}', 'a'],
    ['an unknown op', '{"id":"a","op":"nope"}', 'a'],
    ['an inherited op', '{"id":"a","op":"constructor"}', 'a'],
    ['an inherited accessor', '{"id":"a","op":"__proto__"}', 'a'],
    ['an op that a prototype was to bring in', '{"id":"a","__proto__":{"op":"echo"}}', 'a'],
  ])('%s is a bad command', async (_, line, id) => {
    expect(await ask(line)).toMatchObject({ id, error: { code: 'BAD_COMMAND' } })
  })

  test('an operation may be named __proto__ when the port has one of its own', async () => {
    expect(await ask('{"op":"__proto__"}', { ['__proto__']: () => 1 })).toEqual({ id: null, ok: 1 })
  })

  test('undefined is answered as null', async () => {
    expect(await ask({ id: 1, op: 'give' })).toEqual({ id: 1, ok: null })
  })

  test('a lone surrogate comes back as it was sent', async () => {
    expect(await ask(String.raw`{"id":"\ud800","op":"echo","value":"\udfff"}`)).toEqual({
      id: '\ud800',
      ok: '\udfff',
    })
  })

  test('an id too deep to be written is answered as null', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    expect(await ask(`{"id":${deep},"op":"give"}`)).toEqual({ id: null, ok: null })
    expect(await ask(`{"id":1,"op":"echo","value":${deep}}`)).toMatchObject({
      id: 1,
      error: { code: 'INTERNAL' },
    })
  })

  test('an error keeps its code and carries its own fields, those that JSON can carry', async () => {
    const error = Object.assign(new Error('bad line', { cause: 'secret' }), {
      code: 'PARSE',
      line: 3,
      big: 1n,
      id: 9,
    })
    expect(await ask({ id: 1, op: 'fail' }, failing(error))).toEqual({
      id: 1,
      error: { code: 'PARSE', message: 'bad line', line: 3, id: 9 },
    })
  })

  test.each([
    ['a TypeError', new TypeError('x is undefined'), 'TypeError: x is undefined'],
    ['a numeric code', Object.assign(new Error('aborted'), { code: 20 }), 'Error: aborted'],
    ['a string', 'boom', 'thrown: "boom"'],
    ['undefined', undefined, 'thrown: undefined'],
    ['a symbol', Symbol('s'), 'thrown: symbol'],
  ])('%s is INTERNAL', async (_, error, message) => {
    expect(await ask({ id: 1, op: 'fail' }, failing(error))).toEqual({
      id: 1,
      error: { code: 'INTERNAL', message },
    })
  })

  test('a rejected promise is an error like a thrown one', async () => {
    const rejecting: Operations = { fail: () => Promise.reject(new RangeError('late')) }
    expect(await ask({ op: 'fail' }, rejecting)).toMatchObject({ error: { message: 'RangeError: late' } })
  })

  const cycle: unknown[] = []
  cycle.push(cycle)
  test.each([
    ['NaN', Number.NaN],
    ['an infinity', { deep: [-Infinity] }],
    ['a bigint', 1n],
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
    ['a Map', new Map([[1, 2]])],
    ['binary data', new Int32Array(2)],
    ['a hole', [1, undefined]],
    ['a cycle', cycle],
  ])('an answer with %s is INTERNAL, never changed in silence', async (_, value) => {
    expect(await ask({ id: 1, op: 'give' }, { give: () => value })).toMatchObject({
      id: 1,
      error: { code: 'INTERNAL' },
    })
  })

  test('-0 is written as 0', async () => {
    expect(await answerLine({ give: () => [-0] }, '{"id":1,"op":"give"}')).toBe('{"id":1,"ok":[0]}')
  })
})
