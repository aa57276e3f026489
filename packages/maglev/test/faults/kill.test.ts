import { expect, test } from 'vitest'
import { killOneOfTen } from './kill-one.ts'

// Fault 2 of the specification's section 6. At 300 connections a second here; `main.ts` does it at 2,000.
test('one of ten proxied backends is killed under load: only its connections break, new ones move', async () => {
  const outcome = await killOneOfTen(300, 1, 200)
  expect(outcome.longOnDead).toBeGreaterThan(0)
  expect(outcome.longOnOthers).toBeGreaterThan(100)
  expect(outcome.brokenOnOthers).toBe(0)
  expect(outcome.strayed).toBe(0)
  expect(outcome.movedOn).toBeGreaterThan(0)
  // Those that were open when it died, and hardly any that began later: what is refused goes to the next owner at once.
  expect(outcome.brokenOnDead).toBeGreaterThanOrEqual(outcome.longOnDead)
  expect(outcome.brokenOnDead - outcome.longOnDead).toBeLessThanOrEqual(15)
  // Three probes 200 ms apart, or five refused connections.
  expect(outcome.foundMs).toBeLessThan(5000)
})
