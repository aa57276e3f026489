import fc, { type Arbitrary } from 'fast-check'
import type { Step } from './contract.ts'

const deed = fc.constantFrom('succeeds', 'succeeds', 'fails', 'declines', 'refuses', 'recovers')
const retries = fc.constantFrom(0, 0, 0, 0, 0, 1, 2)

const plain = fc.record({
  deed,
  amount: fc.constantFrom(1, 2),
  key: fc.constantFrom('KG5LxwFBepaKHyUD', 'a:b', "o'clock / 100 %", undefined),
  retries,
  busyFor: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 2),
})

const posted: Arbitrary<Step> = fc
  .tuple(plain, fc.constantFrom('/v1/charges', '/v1/charges', '/v1/refunds', '/v2/core/accounts'))
  .map(([step, path]) => ({ ...step, method: 'POST', path }))

const deleted: Arbitrary<Step> = plain.map((step) => ({
  ...step,
  method: 'DELETE',
  path: `/v2/core/accounts/${step.deed}`,
  busyFor: 0,
}))

/** Calls of one account, one after the other, with keys that meet again. */
export const calls: Arbitrary<readonly Step[]> = fc.array(
  fc.oneof({ arbitrary: posted, weight: 5 }, { arbitrary: deleted, weight: 1 }),
  { minLength: 1, maxLength: 6 },
)
