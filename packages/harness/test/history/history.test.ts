import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  byKey,
  checkLinearizability,
  History,
  isHarnessError,
  Ledger,
  type Operation,
  type RegisterInput,
  register,
  SessionHistory,
} from '../../src/history/index.ts'

const misused = expect.toSatisfy((error) => isHarnessError(error) && error.code === 'HISTORY_MISUSED')

describe('History', () => {
  test('records calls and answers in the order seen', () => {
    const history = new History<string, number>()
    const a = history.invoke('a', 'first')
    const b = history.invoke('b', 'second')
    b.complete(2)
    a.fail('refused')
    history.invoke('a', 'third').info('timeout')
    history.invoke('b', 'fourth')
    expect(history.operations).toEqual([
      { process: 'a', input: 'first', outcome: { kind: 'fail', reason: 'refused' }, invoked: 0, returned: 3 },
      { process: 'b', input: 'second', outcome: { kind: 'ok', output: 2 }, invoked: 1, returned: 2 },
      {
        process: 'a',
        input: 'third',
        outcome: { kind: 'info', reason: 'timeout' },
        invoked: 4,
        returned: Infinity,
      },
      { process: 'b', input: 'fourth', outcome: { kind: 'info' }, invoked: 5, returned: Infinity },
    ])
  })

  test('refuses two open operations of one process, and two ends of one operation', () => {
    const history = new History<string, number>()
    const call = history.invoke('a', 'first')
    expect(() => history.invoke('a', 'second')).toThrow(misused)
    call.complete(1)
    expect(() => call.info()).toThrow(misused)
    expect(history.operations[0]?.outcome).toEqual({ kind: 'ok', output: 1 })
  })

  test('record: an error leaves the outcome unknown unless it is a certain one', async () => {
    const history = new History<string, number>()
    const refused = new Error('refused')
    const work = () => Promise.reject(refused)
    await expect(history.record('a', 'x', work)).rejects.toBe(refused)
    await expect(history.record('a', 'y', work, (reason) => reason === refused)).rejects.toBe(refused)
    await history.record('a', 'z', () => 3)
    expect(history.operations.map(({ outcome }) => outcome.kind)).toEqual(['info', 'fail', 'ok'])
  })
})

test('a write with unknown outcome may show up late, early or never; one that failed may not', () => {
  const at = (process: string, input: RegisterInput<number>, output: number | undefined, invoked: number) =>
    ({ process, input, outcome: { kind: 'ok', output }, invoked, returned: invoked + 1 }) as const
  const write = (kind: 'info' | 'fail'): Operation<RegisterInput<number>, number | undefined> => ({
    process: 'w',
    input: { op: 'write', value: 1 },
    outcome: { kind },
    invoked: 0,
    returned: kind === 'info' ? Infinity : 1,
  })
  const reads = (...values: number[]) =>
    values.map((value, index) => at('r', { op: 'read' }, value, 10 + 10 * index))
  const judge = (kind: 'info' | 'fail', ...values: number[]) =>
    checkLinearizability([write(kind), ...reads(...values)], register(0)).ok
  expect(judge('info', 0, 0)).toBe(true)
  expect(judge('info', 0, 1)).toBe(true)
  expect(judge('info', 1, 1)).toBe(true)
  expect(judge('info', 1, 0)).toBe(false)
  expect(judge('fail', 0, 0)).toBe(true)
  expect(judge('fail', 0, 1)).toBe(false)
})

describe('Ledger', () => {
  const problems = (fill: (ledger: Ledger) => void) => {
    const ledger = new Ledger()
    fill(ledger)
    const list = (violations: ReturnType<Ledger['atMostOnce']>) =>
      violations.map(({ key, problem }) => `${key} ${problem}`)
    return { atMostOnce: list(ledger.atMostOnce()), exactlyOnce: list(ledger.exactlyOnce()) }
  }

  test('work asked for twice and done once is right', () => {
    const found = problems((ledger) => {
      ledger.request('__proto__')
      ledger.request('__proto__')
      ledger.effect('__proto__')
      ledger.acknowledge('__proto__')
      ledger.request('refused')
      ledger.refuse('refused')
    })
    expect(found).toEqual({ atMostOnce: [], exactlyOnce: [] })
  })

  test.each<[string, (ledger: Ledger) => void, string[]]>([
    ['done twice', (l) => [l.request('k'), l.effect('k'), l.effect('k')], ['k duplicated']],
    ['done unasked', (l) => l.effect('k'), ['k unrequested']],
    ['done though refused', (l) => [l.request('k'), l.refuse('k'), l.effect('k')], ['k refused-but-done']],
    ['acknowledged, not done', (l) => [l.request('k'), l.acknowledge('k')], ['k acknowledged-but-lost']],
  ])('%s is caught by both', (_, fill, expected) => {
    expect(problems(fill)).toEqual({ atMostOnce: expected, exactlyOnce: expected })
  })

  test('never done is caught by exactlyOnce alone', () => {
    expect(problems((ledger) => ledger.request('k'))).toEqual({ atMostOnce: [], exactlyOnce: ['k missing'] })
  })
})

describe('SessionHistory', () => {
  const found = (fill: (history: SessionHistory) => void) => {
    const history = new SessionHistory()
    fill(history)
    return history
      .violations()
      .map(({ guarantee, session, key, expected: e, found: f }) => [guarantee, session, key, e, f])
  }

  test('sessions that see what they should are right', () => {
    const violations = found((history) => {
      history.write('a', 'x', 1)
      history.read('a', [['x', 1]])
      history.read('b', [['x', 0]])
      history.read('b', [['x', 1]])
      history.write('b', 'y', 1)
      history.write('a', 'x', 2)
      history.read('c', [
        ['x', 1],
        ['y', 1],
      ])
      history.read('c', [
        ['x', 2],
        ['y', 1],
      ])
    })
    expect(violations).toEqual([])
  })

  test('read your writes', () => {
    const violations = found((history) => {
      history.write('a', 'x', 3)
      history.read('b', [['x', 2]])
      history.read('a', [['x', 2]])
    })
    expect(violations).toEqual([['read-your-writes', 'a', 'x', 3, 2]])
  })

  test('monotonic reads', () => {
    const violations = found((history) => {
      history.read('a', [['x', 3]])
      history.read('b', [['x', 2]])
      history.read('a', [['x', 2]])
    })
    expect(violations).toEqual([['monotonic-reads', 'a', 'x', 3, 2]])
  })

  test('monotonic writes, on one key and as another session sees two', () => {
    const oneKey = found((history) => {
      history.write('a', 'x', 2)
      history.write('a', 'x', 1)
    })
    expect(oneKey).toEqual([['monotonic-writes', 'a', 'x', 3, 1]])
    const twoKeys = found((history) => {
      history.write('a', 'x', 1)
      history.write('a', 'y', 1)
      history.read('b', [
        ['x', 0],
        ['y', 1],
      ])
    })
    expect(twoKeys).toEqual([['monotonic-writes', 'a', 'x', 1, 0]])
  })

  test('writes follow reads, on one key and as another session sees two', () => {
    const oneKey = found((history) => {
      history.read('a', [['x', 2]])
      history.write('a', 'x', 1)
    })
    expect(oneKey).toEqual([['writes-follow-reads', 'a', 'x', 3, 1]])
    const twoKeys = found((history) => {
      history.write('a', 'x', 1)
      history.read('b', [['x', 1]])
      history.write('b', 'y', 1)
      history.read('c', [
        ['x', 0],
        ['y', 1],
      ])
    })
    expect(twoKeys).toEqual([['writes-follow-reads', 'b', 'x', 1, 0]])
  })

  test('a version that is no whole number is refused with its key', () => {
    expect(() => new SessionHistory().write('a', 'x', Number.NaN)).toThrow(/version of "x" .* got NaN/)
  })
})

test('types are inferred from the model', () => {
  const history = new History<RegisterInput<string>, string | undefined>()
  const verdict = checkLinearizability(history.operations, register(''))
  if (!verdict.ok) expectTypeOf(verdict.culprit.input).toEqualTypeOf<RegisterInput<string>>()
  expectTypeOf(byKey(register(0)).apply)
    .parameter(1)
    .toEqualTypeOf<{
      readonly key: string
      readonly input: RegisterInput<number>
    }>()
  expectTypeOf(history.record('p', { op: 'read' }, () => '')).resolves.toEqualTypeOf<string | undefined>()
  // @ts-expect-error -- a register of strings holds no number
  const wrong: RegisterInput<string> = { op: 'write', value: 1 }
  expect(wrong.op).toBe('write')
})
