import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isMaglevError } from '../../src/errors.ts'
import { poolOperations } from './pool-operations.ts'

/** What is asked of an operation gets an answer that JSON can carry, or an error of a code that says whose fault it is. */

const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    1,
    1.5,
    50,
    1e308,
    2 ** 53,
    '',
    '30s',
    '-1',
    '__proto__',
    [],
    {},
    [[]],
  ),
  fc.jsonValue({ maxDepth: 2 }),
)

function sometimes(sound: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 5, arbitrary: sound }, { weight: 1, arbitrary: hostile })
}

const levels = fc.array(
  fc.record({ total: sometimes(fc.nat(9)), healthy: sometimes(fc.nat(4)), degraded: sometimes(fc.nat(3)) }),
  { maxLength: 4 },
)
const events = fc.array(
  fc.record({
    at: sometimes(fc.nat(100_000)),
    backend: sometimes(fc.constantFrom('a', 'b', '__proto__')),
    result: sometimes(fc.constantFrom('success', '5xx', 503, 'local-origin-failure')),
  }),
  { maxLength: 20 },
)
const options = fc.dictionary(
  fc.oneof(
    fc.constantFrom(
      'consecutive_5xx',
      'interval',
      'baseEjectionTime',
      'maxEjectionTimeJitter',
      'enforcingSuccessRate',
    ),
    fc.string(),
  ),
  sometimes(fc.integer({ min: 1, max: 100 })),
  { maxKeys: 3, noNullPrototype: false },
)
const command = fc.record(
  {
    op: fc.constantFrom(...Object.keys(poolOperations)),
    levels: sometimes(levels),
    panicThreshold: sometimes(fc.double({ min: 0, max: 1 })),
    overProvisioning: sometimes(fc.double({ min: 1, max: 2 })),
    window: sometimes(fc.integer({ min: 1, max: 100_000 })),
    aggression: sometimes(fc.double({ min: 0.1, max: 5 })),
    minWeight: sometimes(fc.double({ min: 0, max: 1 })),
    at: sometimes(fc.array(sometimes(fc.nat(100_000)), { maxLength: 3 })),
    seed: sometimes(fc.nat()),
    hosts: sometimes(fc.nat(50)),
    options: sometimes(options),
    events: sometimes(events),
    backends: hostile,
    end: hostile,
  },
  { requiredKeys: ['op', 'levels', 'window', 'at', 'seed', 'hosts', 'events'] },
)

test('any command, sound or hostile', () => {
  let answered = 0
  fc.assert(
    fc.property(command, (given) => {
      const operation = poolOperations[given.op]
      try {
        const answer = operation?.(given)
        expect(JSON.parse(JSON.stringify(answer))).toEqual(answer)
        answered++
      } catch (error) {
        const code: unknown = error instanceof Error && 'code' in error ? error.code : error
        expect(isMaglevError(error) ? 'MaglevError' : code).toMatch(/^(?:MaglevError|BAD_COMMAND)$/)
      }
    }),
    { numRuns: 2000 },
  )
  expect(answered).toBeGreaterThan(100)
})
