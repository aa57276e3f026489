import { CircuitBreaker } from '@loadbearing/hystrix-breaker/opossum'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Opossum } from './opossum-peer.ts'
import { type Program, program, run, type Seen } from './opossum-programs.ts'

const runs = 400

// As far as the first defect of opossum that a program runs into, both must have seen the same.
test('random sequences of calls and commands go as with opossum 10', async () => {
  const reached = { whole: 0, opened: 0, closedAgain: 0, timedOut: 0, locked: 0 }
  await fc.assert(
    fc.asyncProperty(program, async (each) => {
      const theirs = await run(Opossum, each)
      const ours = await run(CircuitBreaker, each)
      const end = firstDefect(each, theirs)
      const before = (seen: Seen): boolean => seen.at < end
      expect(ours.filter(before)).toEqual(theirs.filter(before))
      const names = new Set(theirs.filter(before).map(({ what }) => what))
      if (end === Infinity) reached.whole++
      if (names.has('open')) reached.opened++
      if (names.has('close')) reached.closedAgain++
      if (names.has('timeout')) reached.timedOut++
      if (names.has('semaphoreLocked')) reached.locked++
    }),
    { numRuns: runs },
  )
  // A comparison that stops early everywhere would show nothing: two of five go to their end, give or take one of forty.
  expect(reached.whole).toBeGreaterThan(runs / 5)
  for (const times of Object.values(reached)) expect(times).toBeGreaterThan(0)
})

/**
 * The time from which on a program is not compared: where opossum counts or settles something that is late, judges by
 * what was before a close, gives its probe away, leaves a probe for longer than its lease, or keeps sharing a failure
 * that came at once.
 */
function firstDefect({ options, steps }: Program, seen: readonly Seen[]): number {
  const { timeout, resetTimeout, coalesce, allowWarmUp } = options
  const calls = new Map(
    steps.flatMap((step) => (step.do === 'fire' ? [[step.call.id, step.call] as const] : [])),
  )
  const lease = timeout ? Math.max(timeout + 1000, resetTimeout) : resetTimeout
  const admitted = new Map<number, number>()
  let transitions = 0
  let state = 'close'
  let previous = ''
  let probeSince = Infinity
  let hasClosed = false
  for (const { at, what, call } of seen) {
    if (state === 'halfOpen' && at >= probeSince + lease) return probeSince + lease
    const since = call === undefined ? transitions : (admitted.get(call) ?? transitions)
    if (what === 'open' || what === 'close' || what === 'halfOpen') {
      transitions++
      state = what
      probeSince = Infinity
      if (what === 'close') hasClosed = true
    } else if (what === 'fire' && call !== undefined) {
      admitted.set(call, transitions)
      if (state === 'halfOpen') probeSince = Math.min(probeSince, at)
      if (coalesce && (calls.get(call)?.ends === 'throws' || options.capacity < 100)) return at
    } else if (what === 'semaphoreLocked' && state === 'halfOpen') return at
    // `close` is seen before the success that closed, which is the probe's where it was fired half-open.
    else if (what === 'success' && previous === 'close' && since < transitions - 1) return at
    else if (what === 'failure') {
      const late = since < transitions
      if (hasClosed || (state === 'halfOpen' && (late || allowWarmUp))) return at
    }
    previous = what
  }
  return Infinity
}
