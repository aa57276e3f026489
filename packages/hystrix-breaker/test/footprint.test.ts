import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Breaker } from '@loadbearing/hystrix-breaker'
import { describe, expect, test, vi } from 'vitest'

setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')

function heap(): number {
  gc()
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const broken = new Error('broken')
const quiet = (): void => {}

// The bench measures the same with 10^7 calls and beside the peers.
describe('footprint', () => {
  test('15: 10,000 idle breakers hold no timer, and 2 KB each at most', () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    try {
      const before = heap()
      const idle = Array.from({ length: 10_000 }, (_, at) => new Breaker({ name: `idle ${at}` }))
      const each = (heap() - before) / idle.length
      expect(timers).not.toHaveBeenCalled()
      expect(each).toBeGreaterThan(0)
      expect(each).toBeLessThan(2048)
    } finally {
      timers.mockRestore()
    }
  })

  test('14: the 8,000th failing call costs what the 1,000th does', async () => {
    const own = new Breaker({ volumeThreshold: 1_000_000, timeout: false })
    const fail = (): Promise<never> => Promise.reject(broken)
    const costOfNext = async (calls: number): Promise<number> => {
      const start = performance.now()
      for (let call = 0; call < calls; call++) await own.execute(fail).catch(quiet)
      return performance.now() - start
    }
    await costOfNext(1000)
    // What the machine does meanwhile only ever adds: the least of each.
    const early: number[] = []
    for (let round = 0; round < 10; round++) early.push(await costOfNext(100))
    await costOfNext(6000)
    const late: number[] = []
    for (let round = 0; round < 10; round++) late.push(await costOfNext(100))
    expect(Math.min(...late) / Math.min(...early)).toBeLessThan(2)
  })

  test('16: the heap is flat', async () => {
    const own = new Breaker({ timeout: '10s', bulkhead: { max: 10, queue: 10 } })
    const calls = async (many: number): Promise<void> => {
      for (let call = 0; call < many; call++) {
        const work = (): Promise<number> => (call % 10 === 0 ? Promise.reject(broken) : Promise.resolve(1))
        await own.execute(work).catch(quiet)
      }
    }
    await calls(50_000)
    const before = heap()
    await calls(300_000)
    expect(heap() - before).toBeLessThan(5 * 2 ** 20)
    await own[Symbol.asyncDispose]()
  })
})
