import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from './virtual-clock.ts'

test('timers come in the order of their times, then of their setting; cleared ones do not', async () => {
  const plan = fc.array(fc.record({ at: fc.nat(50), cleared: fc.boolean(), again: fc.nat(10) }), {
    maxLength: 60,
    size: 'max',
  })
  await fc.assert(
    fc.asyncProperty(plan, fc.nat(70), async (timers, end) => {
      const clock = new VirtualClock()
      const fired: string[] = []
      const handles = timers.map(({ at, again }, index) =>
        clock.setTimeout(() => {
          fired.push(`${clock.monotonic()} ${index}`)
          clock.setTimeout(() => fired.push(`${clock.monotonic()} ${index} again`), again)
        }, at),
      )
      for (const [index, { cleared }] of timers.entries()) if (cleared) clock.clearTimeout(handles[index])
      await clock.advance(end)
      const expected = timers
        .flatMap(({ at, cleared, again }, index) =>
          cleared
            ? []
            : [
                { at, text: `${at} ${index}` },
                { at: at + again, text: `${at + again} ${index} again` },
              ],
        )
        .filter(({ at }) => at <= end)
      expect(fired.map((each) => Number.parseInt(each, 10))).toEqual(
        expected.map(({ at }) => at).toSorted((a, b) => a - b),
      )
      expect(fired.toSorted()).toEqual(expected.map(({ text }) => text).toSorted())
      const first = fired.filter((each) => !each.endsWith('again'))
      expect(first).toEqual(
        expected
          .filter(({ text }) => !text.endsWith('again'))
          .toSorted((a, b) => a.at - b.at)
          .map(({ text }) => text),
      )
      expect(clock.monotonic()).toBe(end)
    }),
    { numRuns: 60 },
  )
})

test('what promises do after a timer is done before the next one', async () => {
  const clock = new VirtualClock()
  const seen: string[] = []
  clock.setTimeout(() => {
    void (async () => {
      for (let n = 0; n < 20; n++) await Promise.resolve()
      seen.push(`first at ${clock.monotonic()}`)
    })()
  }, 5)
  clock.setTimeout(() => seen.push('second'), 5)
  await clock.advance(10)
  expect(seen).toEqual(['first at 5', 'second'])
})
