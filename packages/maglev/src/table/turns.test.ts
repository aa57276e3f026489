import fc from 'fast-check'
import { expect, test } from 'vitest'
import { roundRobin, type Turns, weightedRounds } from './turns.ts'

function take(turns: Turns, count: number): number[] {
  const taken: number[] = []
  while (taken.length < count) taken.push(...turns())
  return taken.slice(0, count)
}

/** Envoy's loop as its source has it: everyone is asked in each iteration. */
function envoyLoop(weights: readonly number[], count: number): number[] {
  const greatest = Math.max(...weights)
  const targets = weights.map(() => 0)
  const taken: number[] = []
  for (let iteration = 1; taken.length < count; iteration++) {
    for (const [i, weight] of weights.entries()) {
      if (iteration * weight < (targets[i] ?? 0)) continue
      targets[i] = (targets[i] ?? 0) + greatest
      taken.push(i)
    }
  }
  return taken.slice(0, count)
}

test('round robin goes round in the order given', () => {
  expect(take(roundRobin(Uint32Array.of(2, 0, 5)), 8)).toEqual([2, 0, 5, 2, 0, 5, 2, 0])
})

test('weighted rounds from 0 are the turns of Envoy’s loop', () => {
  const weights = fc.array(
    fc.oneof(fc.double({ min: 1e-6, max: 1, noNaN: true }), fc.constantFrom(1 / 3, 2 / 3, 0.1)),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  fc.assert(
    fc.property(weights, (given) => {
      const members = Uint32Array.from(given.keys())
      expect(take(weightedRounds(members, Float64Array.from(given), 0), 300)).toEqual(envoyLoop(given, 300))
    }),
  )
})

test('a weight that is next to nothing has one turn, in the first round', () => {
  const turns = weightedRounds(Uint32Array.of(0, 1), Float64Array.of(5e-324, 1e-300), 0)
  expect(take(turns, 6)).toEqual([0, 1, 1, 1, 1, 1])
})

test('weighted rounds from 1 give each as many turns as its quota', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 12 }), (quotas) => {
      const total = quotas.reduce((a, b) => a + b, 0)
      const turns = take(weightedRounds(Uint32Array.from(quotas.keys()), Float64Array.from(quotas), 1), total)
      expect(quotas.map((_, i) => turns.filter((turn) => turn === i).length)).toEqual(quotas)
    }),
  )
})
