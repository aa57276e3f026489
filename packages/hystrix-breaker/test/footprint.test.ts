import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Breaker } from '@loadbearing/hystrix-breaker'
import { describe, expect, test } from 'vitest'

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
    const program = fileURLToPath(new URL('./children/idle-breakers.ts', import.meta.url))
    const args = ['--expose-gc', '--conditions=@loadbearing/source', program]
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect(stderr).toBe('')
    const { each, timers }: { each: number; timers: number } = JSON.parse(stdout)
    expect(timers).toBe(0)
    expect(each).toBeGreaterThan(0)
    expect(each).toBeLessThan(2048)
  })

  test('14: the 8,000th failing call costs what the 1,000th does', async () => {
    const young = new Breaker({ volumeThreshold: 1_000_000, timeout: false })
    const old = new Breaker({ volumeThreshold: 1_000_000, timeout: false })
    const fail = (): Promise<never> => Promise.reject(broken)
    const costOfNext = async (own: Breaker, calls: number): Promise<number> => {
      const start = performance.now()
      for (let call = 0; call < calls; call++) await own.execute(fail).catch(quiet)
      return performance.now() - start
    }
    await costOfNext(young, 1000)
    await costOfNext(old, 8000)
    // What the machine does meanwhile only ever adds: the least of each, taken in turn.
    const early: number[] = []
    const late: number[] = []
    for (let round = 0; round < 20; round++) {
      early.push(await costOfNext(young, 50))
      late.push(await costOfNext(old, 50))
    }
    expect(Math.min(...late) / Math.min(...early)).toBeLessThan(2)
    expect([young.counts.total, old.counts.total]).toEqual([2000, 9000])
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
