import { skipWithout } from '@loadbearing/harness/services'
import { describe, expect, test } from 'vitest'
import { missingVectors } from '../language/vectors.ts'
import { openTestStore, storeKinds } from '../stores/open-test-store.ts'
import { runSuite } from './suite.ts'

const unavailable = skipWithout('postgres')

// Of 137 and 23 tests, what is beside the repository is about a half.
describe.skipIf(missingVectors !== false)('the suites of OpenFGA', () => {
  for (const [kind, closureIndex] of [
    ...storeKinds.map((each) => [each, false] as const),
    ['memory', true] as const,
    ['sqlite', true] as const,
  ]) {
    test.skipIf(kind === 'postgres' && unavailable)(
      `on ${kind}${closureIndex ? ', with the closure index' : ''}`,
      async () => {
        await using opened = await openTestStore(kind)
        const plain = await runSuite('consolidated_1_1_tests.yaml', opened.store, closureIndex)
        expect(plain.wrong).toEqual([])
        expect(Math.min(...Object.values(plain.asked))).toBeGreaterThan(100)
        const conditional = await runSuite('abac_tests.yaml', opened.store, closureIndex)
        expect(conditional.wrong).toEqual([])
        expect(Math.min(...Object.values(conditional.asked))).toBeGreaterThan(20)
      },
      180_000,
    )
  }
})
