import { readFileSync } from 'node:fs'
import { Breaker, type BreakerOptions, isResilienceError, presets } from '@loadbearing/hystrix-breaker'
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Opossum } from './compat/opossum-peer.ts'

const versions = { opossum: versionOf('opossum'), cockatiel: versionOf('cockatiel') }

function versionOf(peer: string): string {
  const manifest = new URL(`../node_modules/${peer}/package.json`, import.meta.url)
  return String(JSON.parse(readFileSync(manifest, 'utf8')).version)
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})

afterEach(() => {
  vi.useRealTimers()
})

function later<T>(ms: number, value: T | Error): Promise<T> {
  return new Promise((resolve, reject) => {
    setTimeout(() => (value instanceof Error ? reject(value) : resolve(value)), ms)
  })
}

const down = new Error('down')
const quiet = (): void => {}

/** What happens where a breaker of ours, of opossum and of cockatiel go through the same thing. */
interface Defect {
  readonly defect: string
  readonly peer: 'opossum' | 'cockatiel'
  readonly ours: () => Promise<unknown>
  readonly theirs: () => Promise<unknown>
  readonly right: unknown
  readonly wrong: unknown
}

function opossumLike(options: BreakerOptions = {}): Breaker {
  return new Breaker({ name: 'ours', circuit: presets.opossum({ resetTimeout: 100 }), ...options })
}

function stateOf(peer: { readonly closed: boolean; readonly opened: boolean }): string {
  return peer.closed ? 'closed' : peer.opened ? 'open' : 'half-open'
}

const defects: readonly Defect[] = [
  {
    peer: 'opossum',
    defect: 'work that returns undefined fails, and counts',
    right: [undefined, 0],
    wrong: ["Cannot read properties of undefined (reading 'then')", 1],
    async ours() {
      const own = opossumLike()
      return [await own.execute(quiet), own.counts.failures]
    },
    async theirs() {
      const peer = new Opossum(quiet)
      return [await peer.fire().catch((error: Error) => error.message), peer.stats.failures]
    },
  },
  {
    peer: 'opossum',
    defect: 'a success of before the opening closes the half-open circuit',
    right: 'half-open',
    wrong: 'closed',
    async ours() {
      const own = opossumLike()
      const late = own.execute(() => later(150, 1))
      await own.execute(() => Promise.reject(down)).catch(quiet)
      await vi.advanceTimersByTimeAsync(100)
      void own.execute(() => later(1000, 1))
      await vi.advanceTimersByTimeAsync(50)
      await late
      return own.state
    },
    async theirs() {
      const peer = new Opossum((ms: number) => later(ms, 1), { resetTimeout: 100 })
      const late = peer.fire(150)
      peer.open()
      await vi.advanceTimersByTimeAsync(150)
      await late
      return stateOf(peer)
    },
  },
  {
    peer: 'opossum',
    defect: 'the window is kept after a close: one failure reopens',
    right: 'closed',
    wrong: 'open',
    async ours() {
      const own = opossumLike({ circuit: presets.opossum({ resetTimeout: 100, volumeThreshold: 5 }) })
      const fail = (): Promise<unknown> => own.execute(() => Promise.reject(down)).catch(quiet)
      for (let time = 0; time < 5; time++) await fail()
      expect(own.state).toBe('open')
      await vi.advanceTimersByTimeAsync(100)
      await own.execute(() => 1)
      await fail()
      return own.state
    },
    async theirs() {
      const work = (fails: boolean): Promise<number> => (fails ? Promise.reject(down) : Promise.resolve(1))
      const peer = new Opossum(work, { resetTimeout: 100, volumeThreshold: 5 })
      for (let time = 0; time < 5; time++) await peer.fire(true).catch(quiet)
      expect(stateOf(peer)).toBe('open')
      await vi.advanceTimersByTimeAsync(100)
      await peer.fire(false)
      await peer.fire(true).catch(quiet)
      return stateOf(peer)
    },
  },
  {
    peer: 'opossum',
    defect: 'the wait is counted from the construction: a restored breaker half-opens too early',
    right: 'refused',
    wrong: 'half-open',
    async ours() {
      const own = opossumLike()
      await vi.advanceTimersByTimeAsync(5000)
      await own.execute(() => Promise.reject(down)).catch(quiet)
      const restored = opossumLike()
      restored.restore(own.snapshot())
      return restored.execute(() => 1).catch(refused)
    },
    async theirs() {
      const peer = new Opossum(() => later(1, 1), { resetTimeout: 100 })
      await vi.advanceTimersByTimeAsync(5000)
      peer.open()
      const { state } = peer.toJSON()
      return stateOf(new Opossum(() => later(1, 1), { resetTimeout: 100, state }))
    },
  },
  {
    peer: 'opossum',
    defect: 'one time limit aborts the other calls',
    right: [true, false],
    wrong: [true, true],
    async ours() {
      const signals: AbortSignal[] = []
      const own = opossumLike({ timeout: 100 })
      const hang = (): Promise<unknown> =>
        own
          .execute(({ signal }) => {
            signals.push(signal)
            return new Promise(quiet)
          })
          .catch(quiet)
      void hang()
      await vi.advanceTimersByTimeAsync(50)
      void hang()
      await vi.advanceTimersByTimeAsync(50)
      return signals.map(({ aborted }) => aborted)
    },
    async theirs() {
      const signals: (AbortSignal | undefined)[] = []
      const hang = (): Promise<never> => {
        signals.push(peer.getSignal())
        return new Promise<never>(quiet)
      }
      const peer = new Opossum(hang, { timeout: 100, autoRenewAbortController: true })
      void peer.fire().catch(quiet)
      await vi.advanceTimersByTimeAsync(50)
      void peer.fire().catch(quiet)
      await vi.advanceTimersByTimeAsync(50)
      return signals.map((signal) => signal?.aborted)
    },
  },
  {
    peer: 'cockatiel',
    defect: 'a failure of before the opening reopens the half-open circuit, and the probe is lost',
    right: ['half-open', 'closed'],
    wrong: [CircuitState.Open, CircuitState.Open],
    async ours() {
      const own = new Breaker({ window: false, consecutive: 1, sleepWindow: 100, timeout: false })
      const late = own.execute(() => later(150, down)).catch(quiet)
      await own.execute(() => Promise.reject(down)).catch(quiet)
      await vi.advanceTimersByTimeAsync(120)
      const probe = own.execute(() => later(80, 1))
      await vi.advanceTimersByTimeAsync(40)
      await late
      const afterLate = own.state
      await vi.advanceTimersByTimeAsync(40)
      await probe
      return [afterLate, own.state]
    },
    async theirs() {
      const peer = circuitBreaker(handleAll, { halfOpenAfter: 100, breaker: new ConsecutiveBreaker(1) })
      const late = peer.execute(() => later(150, down)).catch(quiet)
      await peer.execute(() => Promise.reject(down)).catch(quiet)
      await vi.advanceTimersByTimeAsync(120)
      const probe = peer.execute(() => later(80, 1))
      await vi.advanceTimersByTimeAsync(40)
      await late
      const afterLate = peer.state
      await vi.advanceTimersByTimeAsync(40)
      await probe
      return [afterLate, peer.state]
    },
  },
  {
    peer: 'cockatiel',
    defect: 'failures of an hour ago still count: one more opens',
    right: 'closed',
    wrong: true,
    async ours() {
      const own = new Breaker({ volumeThreshold: 5 })
      const fail = (): Promise<unknown> => own.execute(() => Promise.reject(down)).catch(quiet)
      for (let time = 0; time < 4; time++) await fail()
      await vi.advanceTimersByTimeAsync(3_600_000)
      await fail()
      return own.state
    },
    async theirs() {
      const peer = new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 0.5 })
      for (let time = 0; time < 4; time++) peer.failure(CircuitState.Closed)
      await vi.advanceTimersByTimeAsync(3_600_000)
      return peer.failure(CircuitState.Closed)
    },
  },
]

function refused(error: unknown): unknown {
  return isResilienceError(error) && error.code === 'CIRCUIT_OPEN' ? 'refused' : error
}

describe('4: defects of the peers, ours right and theirs shown wrong', () => {
  test.each(defects.map((each) => [`${each.peer} ${versions[each.peer]}: ${each.defect}`, each] as const))(
    '%s',
    async (_, { ours, theirs, right, wrong }) => {
      expect(await ours()).toEqual(right)
      expect(await theirs()).toEqual(wrong)
    },
  )
})
