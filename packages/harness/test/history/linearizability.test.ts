import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  byKey,
  type CompareAndSetInput,
  checkLinearizability,
  compareAndSetRegister,
  isHarnessError,
  type LockInput,
  lock,
  type Model,
  type Operation,
  type Outcome,
  type RegisterInput,
  register,
} from '../../src/history/index.ts'
import { spentMs } from '../spent.ts'

/**
 * The definition, with nothing shared with the checker: some choice of the unknown operations, in some order of all
 * permutations, respects real time and is what `answers` says of the sequence.
 */
function bruteForce<Input, Output>(
  operations: readonly Operation<Input, Output>[],
  answers: (inputs: readonly Input[]) => Output[],
): boolean {
  const happened = operations.filter(({ outcome }) => outcome.kind !== 'fail')
  const certain = happened.filter(({ outcome }) => outcome.kind === 'ok').length
  const legal = (order: readonly Operation<Input, Output>[]): boolean => {
    const expected = answers(order.map(({ input }) => input))
    return order.every(({ outcome }, index) => outcome.kind !== 'ok' || outcome.output === expected[index])
  }
  const search = (order: readonly Operation<Input, Output>[]): boolean => {
    if (order.filter(({ outcome }) => outcome.kind === 'ok').length === certain && legal(order)) return true
    return happened.some((next) => {
      if (order.includes(next)) return false
      const comesTooLate = order.some((earlier) => next.returned < earlier.invoked)
      return !comesTooLate && search([...order, next])
    })
  }
  return search([])
}

type Shape<Input, Output> = { input: fc.Arbitrary<Input>; output: (input: Input) => fc.Arbitrary<Output> }

/** 2 or 3 processes, up to 6 operations, any overlap, any outcome; two thirds of the answers are right in some order. */
function histories<Input, Output>(
  { input, output }: Shape<Input, Output>,
  answers: (inputs: readonly Input[]) => Output[],
): fc.Arbitrary<Operation<Input, Output>[]> {
  const step = input.chain((given) =>
    fc.record({
      input: fc.constant(given),
      process: fc.integer({ min: 0, max: 2 }),
      gap: fc.integer({ min: 0, max: 3 }),
      length: fc.integer({ min: 0, max: 6 }),
      kind: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'fail', 'info'),
      guess: output(given),
      lies: fc.integer({ min: 0, max: 2 }).map((die) => die === 0),
      point: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  )
  return fc.array(step, { minLength: 1, maxLength: 6 }).map((steps) => {
    const clocks = [0, 0, 0]
    const timed = steps.map((one) => {
      const invoked = (clocks[one.process] ?? 0) + one.gap
      const returned = invoked + one.length
      clocks[one.process] = returned + 1
      return { ...one, invoked, returned, at: invoked + one.point * one.length }
    })
    const order = timed.filter(({ kind }) => kind !== 'fail').toSorted((a, b) => a.at - b.at)
    const right = new Map(
      answers(order.map((one) => one.input)).map((answer, index) => [order[index], answer]),
    )
    return timed.map((one) => {
      const answer = right.get(one)
      const known = one.lies || answer === undefined ? one.guess : answer
      const outcome: Outcome<Output> =
        one.kind === 'ok' ? { kind: 'ok', output: known } : { kind: one.kind === 'fail' ? 'fail' : 'info' }
      return {
        process: `${one.process}`,
        input: one.input,
        outcome,
        invoked: one.invoked,
        returned: outcome.kind === 'info' ? Infinity : one.returned,
      }
    })
  })
}

/** The prefix has no order, and with the culprit's answer not yet known it has one. */
function isShortestBadPrefix<Input, Output>(
  { prefix, culprit }: { prefix: readonly Operation<Input, Output>[]; culprit: Operation<Input, Output> },
  answers: (inputs: readonly Input[]) => Output[],
): boolean {
  const before = prefix.map(
    (operation): Operation<Input, Output> =>
      operation === culprit ? { ...operation, outcome: { kind: 'info' }, returned: Infinity } : operation,
  )
  return !bruteForce(prefix, answers) && bruteForce(before, answers)
}

function agreement<State, Input, Output>(
  model: Model<State, Input, Output>,
  shape: Shape<Input, Output>,
  answers: (inputs: readonly Input[]) => Output[],
): { linearizable: number; not: number } {
  const counts = { linearizable: 0, not: 0 }
  const property = fc.property(histories(shape, answers), (operations) => {
    const expected = bruteForce(operations, answers)
    counts[expected ? 'linearizable' : 'not']++
    const verdict = checkLinearizability(operations, model)
    expect(verdict.ok).toBe(expected)
    expect(verdict.ok || isShortestBadPrefix(verdict, answers)).toBe(true)
  })
  fc.assert(property, { numRuns: 10_000 })
  return counts
}

const value = fc.integer({ min: 0, max: 2 })
const read = fc.constant({ op: 'read' } as const)
const write = fc.record({ op: fc.constant('write' as const), value })

describe('agreement with the brute-force checker on 10,000 random histories', () => {
  test('register', () => {
    const shape: Shape<RegisterInput<number>, number | undefined> = {
      input: fc.oneof(read, write),
      output: ({ op }) => (op === 'read' ? value : fc.constant(undefined)),
    }
    const counts = agreement(register(0), shape, (inputs) => {
      let held = 0
      return inputs.map((input) => (input.op === 'read' ? held : void (held = input.value)))
    })
    expect(counts.linearizable).toBeGreaterThan(2_000)
    expect(counts.not).toBeGreaterThan(1_000)
  })

  test('lock', () => {
    const shape: Shape<LockInput, boolean> = {
      input: fc.record({ op: fc.constantFrom('acquire', 'release'), owner: fc.constantFrom('a', 'b') }),
      output: () => fc.boolean(),
    }
    const counts = agreement(lock, shape, (inputs) => {
      const holders: string[] = []
      return inputs.map(({ op, owner }) => {
        if (op === 'acquire') return holders.length === 0 && holders.push(owner) === 1
        return holders[0] === owner && holders.pop() === owner
      })
    })
    expect(counts.linearizable).toBeGreaterThan(2_000)
    expect(counts.not).toBeGreaterThan(1_000)
  })

  test('compare-and-set register', () => {
    const cas = fc.record({ op: fc.constant('cas' as const), expected: value, value })
    const shape: Shape<CompareAndSetInput<number>, number | boolean | undefined> = {
      input: fc.oneof(read, write, cas, cas),
      output: ({ op }) => (op === 'read' ? value : op === 'cas' ? fc.boolean() : fc.constant(undefined)),
    }
    const counts = agreement(compareAndSetRegister(0), shape, (inputs) => {
      let held = 0
      return inputs.map((input) => {
        if (input.op === 'read') return held
        if (input.op === 'write') return void (held = input.value)
        const matches = held === input.expected
        if (matches) held = input.value
        return matches
      })
    })
    expect(counts.linearizable).toBeGreaterThan(2_000)
    expect(counts.not).toBeGreaterThan(1_000)
  })
})

/** 8 clients on a correct register: each operation takes effect at a random moment between call and answer. */
function registerHistory(
  count: number,
  seed: number,
): Operation<RegisterInput<number>, number | undefined>[] {
  const drawn = fc.sample(
    fc.record({
      writes: fc.boolean(),
      gap: fc.nat(20),
      length: fc.integer({ min: 1, max: 100 }),
      point: fc.nat(100),
    }),
    { numRuns: count, seed },
  )
  const clocks = Array.from({ length: 8 }, () => 0)
  const timed = drawn.map((one, index) => {
    const invoked = (clocks[index % 8] ?? 0) + one.gap
    const returned = invoked + one.length
    clocks[index % 8] = returned + 1
    const at = invoked + (one.point / 100) * one.length
    const input: RegisterInput<number> = one.writes ? { op: 'write', value: index % 5 } : { op: 'read' }
    return { process: `client-${index % 8}`, input, invoked, returned, at }
  })
  let held = 0
  return timed
    .toSorted((a, b) => a.at - b.at)
    .map(({ process, input, invoked, returned }) => {
      if (input.op === 'write') held = input.value
      const output = input.op === 'read' ? held : undefined
      return { process, input, outcome: { kind: 'ok', output }, invoked, returned }
    })
}

describe('1,000 operations of 8 clients on a register', () => {
  test('a correct one is judged in less than 2 s', () => {
    const operations = registerHistory(1_000, 42)
    const started = process.threadCpuUsage()
    const verdict = checkLinearizability(operations, register(0))
    expect(spentMs(started)).toBeLessThan(2_000)
    expect(verdict.ok).toBe(true)
  })

  test('a stale read in it is found in less than 2 s, and named', () => {
    const operations = registerHistory(1_000, 43)
    const at = operations.findIndex(({ input }, index) => index > 600 && input.op === 'read')
    const stale = operations[at]
    if (stale === undefined) throw new Error('no read after operation 600')
    operations[at] = { ...stale, outcome: { kind: 'ok', output: 99 } }
    const started = process.threadCpuUsage()
    const verdict = checkLinearizability(operations, register(0))
    expect(spentMs(started)).toBeLessThan(2_000)
    if (verdict.ok) throw new Error('the stale read was not found')
    expect(verdict.culprit).toEqual(operations[at])
    expect(verdict.explanation).toContain('→ 99')
  })

  test('the linearization given is one: in real-time order, and the register answers so', () => {
    const verdict = checkLinearizability(registerHistory(1_000, 44), register(0))
    if (!verdict.ok) throw new Error(verdict.explanation)
    const order = verdict.linearizations.get('') ?? []
    expect(order).toHaveLength(1_000)
    let held = 0
    let latestCall = -1
    const misplaced = order.filter(({ input, outcome, invoked, returned }) => {
      const tooLate = returned < latestCall
      latestCall = Math.max(latestCall, invoked)
      if (input.op === 'write') held = input.value
      const right = input.op === 'write' || (outcome.kind === 'ok' && outcome.output === held)
      return tooLate || !right
    })
    expect(misplaced).toEqual([])
  })
})

test('parts are judged apart, and the broken one is named', () => {
  const at = (key: string, invoked: number, input: RegisterInput<number>, output: number | undefined) => ({
    process: key,
    input: { key, input },
    outcome: { kind: 'ok' as const, output },
    invoked,
    returned: invoked + 1,
  })
  const operations = [
    at('__proto__', 0, { op: 'write', value: 1 }, undefined),
    at('b', 0, { op: 'write', value: 2 }, undefined),
    at('__proto__', 2, { op: 'read' }, 1),
    at('b', 2, { op: 'read' }, 0),
  ]
  const verdict = checkLinearizability(operations, byKey(register(0)))
  expect(verdict).toMatchObject({ ok: false, part: 'b', culprit: operations[3] })
  expect(checkLinearizability(operations.slice(0, 3), byKey(register(0))).ok).toBe(true)
})

test('a search beyond maxStates is a typed error, not a hang', () => {
  const operations = Array.from(
    { length: 40 },
    (_, index): Operation<RegisterInput<number>, number | undefined> => ({
      process: `${index}`,
      input: { op: 'write', value: index },
      outcome: { kind: 'info' },
      invoked: 0,
      returned: Infinity,
    }),
  )
  operations.push({
    process: 'r',
    input: { op: 'read' },
    outcome: { kind: 'ok', output: 99 },
    invoked: 1,
    returned: 2,
  })
  const check = () => checkLinearizability(operations, register(0), { maxStates: 10_000 })
  expect(check).toThrow(
    expect.toSatisfy((error) => isHarnessError(error) && error.code === 'SEARCH_LIMIT_EXCEEDED'),
  )
  expect(() => checkLinearizability([], register(0), { maxStates: 0 })).toThrow(/maxStates .* got 0/)
})

test('states that depend on the order do not make the search quadratic', () => {
  const log: Model<readonly number[], number | 'read', readonly number[] | undefined> = {
    name: 'log',
    initial: [],
    apply: (state, input) =>
      input === 'read' ? { state, output: state } : { state: [...state, input], output: undefined },
  }
  const appends = 8
  const history = Array.from({ length: appends }, (_, n) => ({
    process: `p${n}`,
    input: n,
    outcome: { kind: 'ok' as const, output: undefined },
    invoked: n,
    returned: appends + n,
  }))
  const reading = {
    process: 'reader',
    input: 'read' as const,
    invoked: 2 * appends,
    returned: 2 * appends + 1,
  }
  const started = process.threadCpuUsage()
  const verdict = checkLinearizability(
    [...history, { ...reading, outcome: { kind: 'ok', output: [appends] } }],
    log,
  )
  expect(verdict.ok).toBe(false)
  // 8! orders and half as many again: pairs of them would take minutes.
  expect(spentMs(started)).toBeLessThan(20_000)
})

test('an answer before its call is refused', () => {
  const operation = {
    process: 'p',
    input: { op: 'read' },
    outcome: { kind: 'ok', output: 0 },
    invoked: 2,
    returned: 1,
  } as const
  expect(() => checkLinearizability([operation], register(0))).toThrow(
    /process "p" was invoked at 2 and returned at 1/,
  )
})
