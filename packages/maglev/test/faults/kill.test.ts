import { expect, test } from 'vitest'
import { killOne } from './kill-one.ts'
import { type Stand, startCommand, startStand } from './stand.ts'

// Fault 2 of the specification's section 6, and 19 of its acceptance list. At few connections a second here; `main.ts` takes more.
test.each<[string, number, number, () => Promise<Stand>]>([
  ['the TCP proxy', 300, 200, () => startStand('tcp', 10)],
  ['the command maglev proxy --tcp', 200, 100, () => startCommand('tcp', 10)],
  ['the command maglev proxy', 150, 100, () => startCommand('http', 10)],
])(
  '%s: one of ten backends is killed under load, only what was in flight on it breaks, its keys move, no others',
  async (_, rate, long, start) => {
    await using stand = await start()
    const outcome = await killOne(stand, rate, 1, long)
    expect(outcome.longOnDead).toBeGreaterThan(0)
    expect(outcome.longOnOthers).toBeGreaterThan(long / 2)
    expect(outcome.brokenOnOthers).toBe(0)
    expect(outcome.strayed).toBe(0)
    expect(outcome.movedOn).toBeGreaterThan(0)
    // Those that were open when it died and no later one: what is refused goes to the next owner at once.
    expect(outcome.brokenOnDead).toBeGreaterThanOrEqual(outcome.longOnDead)
    expect(outcome.brokenLater).toBe(0)
    // Three probes 200 ms apart, or five refused connections.
    expect(outcome.foundMs).toBeLessThan(5000)
  },
)
