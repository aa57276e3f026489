import { expect, test } from 'vitest'
import { swapWhileRead } from './swap-while-read.ts'

// Four threads that read without a pause share the cores with the one that swaps, and with whatever else the machine does.
test('12. four threads never read a mixture while the table is swapped 1,000 times', async () => {
  const { reads, torn } = await swapWhileRead(1000, 4)
  expect(torn).toBe(0)
  expect(reads).toBeGreaterThan(10_000)
}, 180_000)
