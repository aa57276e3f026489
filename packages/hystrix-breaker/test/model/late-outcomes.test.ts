import { expect, test } from 'vitest'
import { lateOutcomes } from './late-outcomes.ts'

test('5: in a million random traces no late outcome changes state, generation, counts or permits', () => {
  const { late, changing } = lateOutcomes(1_000_000, 20261121)
  expect(changing).toBe(0)
  expect(late).toBeGreaterThan(1_000_000)
}, 120_000)
