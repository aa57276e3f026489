import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frameText, type StreamData } from '../../src/adapters/stream-data.ts'
import { registryData } from '../../src/adapters/stream-frames.ts'
import { Breaker, type BreakerOptions, presets, Registry, type WindowOptions } from '../../src/index.ts'
import { steppedClock } from './stepped-clock.ts'

type Act = 'success' | 'failure' | 'hang' | 'sync' | 'bad' | 'wait' | 'open' | 'closed' | 'off' | 'reset'

const windows: fc.Arbitrary<WindowOptions> = fc.constantFrom(
  { type: 'count', size: 3 },
  { type: 'time', size: 900, buckets: 3 },
)
const sleepWindows = fc.constantFrom<number | ((attempt: number) => number)>(0.25, 500, (attempt) =>
  attempt === 1 ? 0.3 : Number.NaN,
)
const options: fc.Arbitrary<BreakerOptions> = fc.oneof(
  fc.record(
    {
      group: fc.string(),
      timeout: fc.constantFrom<number | false>(false, 0.5, 100, 60_000),
      bulkhead: fc.record({ max: fc.integer({ min: 1, max: 3 }), queue: fc.nat(2) }),
      fallbackMax: fc.nat(2),
      volumeThreshold: fc.nat(5),
      errorThreshold: fc.constantFrom(0.001, 1 / 3, 1),
      sleepWindow: sleepWindows,
      window: windows,
    },
    { requiredKeys: [] },
  ),
  fc.constantFrom(
    { circuit: presets.hystrix() },
    { circuit: presets.resilience4j() },
    { circuit: presets.polly() },
  ),
)

const actLists = fc.array(
  fc.constantFrom<Act>('success', 'failure', 'hang', 'sync', 'bad', 'wait', 'open', 'closed', 'off', 'reset'),
  { maxLength: 30, size: 'max' },
)

/** Every value that a frame may have: a whole number that JSON carries, a text, true or false; none is null. */
function checkFrame(frame: StreamData): void {
  for (const [field, value] of Object.entries(frame)) {
    const leaves = typeof value === 'object' ? Object.values(value) : [value]
    for (const leaf of leaves) {
      if (typeof leaf === 'number' && !(Number.isSafeInteger(leaf) && leaf >= 0))
        expect.fail(`${field}: ${leaf}`)
      if (!['number', 'string', 'boolean'].includes(typeof leaf)) expect.fail(`${field}: ${String(leaf)}`)
    }
  }
}

describe('frames', () => {
  test('have all fields with whole numbers, whatever a breaker has been through', async () => {
    const registryOf = (breaker: Breaker): Registry => {
      const registry = new Registry()
      registry.add(breaker)
      return registry
    }
    const [plain] = registryData(registryOf(new Breaker()), 0)
    const fields = Object.keys(plain ?? {})
    expect(fields).toHaveLength(48)
    await fc.assert(
      fc.asyncProperty(fc.string(), options, actLists, async (name, each, steps) => {
        const clock = steppedClock()
        const breaker = new Breaker({ ...each, name, clock, isFailure: (error) => error !== 'bad' })
        const registry = registryOf(breaker)
        for (const step of steps) {
          act(breaker, step, clock)
          await Promise.resolve()
          for (const frame of registryData(registry, clock.now() + 0.75)) {
            checkFrame(frame)
            if (frame.type === 'HystrixCommand') expect(Object.keys(frame)).toEqual(fields)
            expect(frame.name).toBe(name)
          }
        }
        const [frame] = registryData(registry, clock.now())
        expect(Number(frame?.['errorPercentage'])).toBeLessThanOrEqual(100)
        await breaker[Symbol.asyncDispose]()
      }),
      { numRuns: 150 },
    )
  })

  test('are written as JSON has it, the keys of maps by their number', () => {
    const map = fc.dictionary(
      fc.oneof(fc.constantFrom('0', '100', '99.5', '1,2', '1', '2', '"', '__proto__'), fc.string()),
      fc.nat(),
    )
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), map)
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), value, { maxKeys: 8 }), (name, fields) => {
        const data = { ...fields, type: 'T', name }
        const text = frameText(data)
        expect(text).toMatch(/^data: [^\n]*\n\n$/)
        expect(JSON.parse(text.slice(6))).toEqual(JSON.parse(JSON.stringify(data)))
      }),
    )
    const latencies = { '0': 1, '99': 2, '100': 4, '99.5': 3 }
    expect(frameText({ type: 'T', name: 'n', latencies })).toContain('{"0":1,"99":2,"99.5":3,"100":4}')
  })
})

function act(breaker: Breaker, step: Act, clock: ReturnType<typeof steppedClock>): void {
  const execute = (work: () => unknown): void => {
    breaker.execute(work, { fallback: () => 0 }).catch(() => {})
  }
  const acts: Readonly<Record<Act, () => void>> = {
    success: () => execute(async () => 1),
    failure: () => execute(() => Promise.reject(new Error('down'))),
    hang: () => execute(() => new Promise(() => {})),
    sync: () => execute(() => 1),
    bad: () => execute(() => Promise.reject('bad')),
    wait: () => clock.advance(333.3),
    open: () => breaker.force('forced-open'),
    closed: () => breaker.force('metrics-only'),
    off: () => breaker.force('disabled'),
    reset: () => breaker.reset(),
  }
  acts[step]()
}
