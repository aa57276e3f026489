import { redis, type Service, skipWithout } from '@loadbearing/harness/services'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pauseHolder, runFleet, timeCalls } from './fleet.ts'

describe.skipIf(skipWithout('redis'))('item 25, with real processes', () => {
  let server: Service
  beforeAll(async () => {
    server = await redis({ name: 'breaker-fleet' })
  })
  afterAll(async () => {
    await server?.stop()
  })

  test('the upstream of five dies, all open; it comes back: exactly one probe, all close', async () => {
    const least = { openedAfter: Infinity, closedAfter: Infinity }
    // Six processes on a busy machine may be told late, whoever tells them: the least of five runs.
    for (let run = 0; run < 5 && Math.max(least.openedAfter, least.closedAfter) >= 200; run++) {
      const { opened, openedAfter, probes, closed, closedAfter } = await runFleet(server.url)
      // Two have no calls: what they know they have from the others.
      expect(opened.slice(3)).toEqual(['fleet', 'fleet'])
      expect(probes).toBe(1)
      expect(closed.filter((reason) => reason === 'probes-succeeded')).toHaveLength(1)
      expect(closed.filter((reason) => reason === 'fleet')).toHaveLength(4)
      least.openedAfter = Math.min(least.openedAfter, openedAfter)
      least.closedAfter = Math.min(least.closedAfter, closedAfter)
    }
    expect(least.openedAfter).toBeLessThan(200)
    expect(least.closedAfter).toBeLessThan(200)
  }, 120_000)

  test('a process that is stopped while it probes: another one does, and the late outcome changes nothing', async () => {
    const { probes, states, changesAfter } = await pauseHolder(server.url)
    expect(probes).toBe(1)
    expect(states).toEqual(['closed', 'closed', 'closed'])
    expect(changesAfter).toBe(0)
  }, 60_000)

  test('without Redis, or with one that hangs or is slow, calls are as fast as with it', async () => {
    const { usual, slow, paused, stopped } = await timeCalls(server)
    expect(slow - usual).toBeLessThan(1)
    expect(paused - usual).toBeLessThan(1)
    expect(stopped - usual).toBeLessThan(1)
  })
})
