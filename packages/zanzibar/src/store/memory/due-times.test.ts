import { array, assert, constantFrom, double, oneof, property, record } from 'fast-check'
import { expect, test } from 'vitest'
import { DueTimes } from './due-times.ts'

const time = oneof(double({ noNaN: true, min: 0, max: 10 }), constantFrom(1, 2, 3))

test('gives the first time after now, of all that were added', () => {
  assert(
    property(array(record({ add: array(time), now: time })), (rounds) => {
      const times = new DueTimes()
      let left: number[] = []
      for (const { add, now } of rounds) {
        for (const each of add) times.add(each)
        left = [...left, ...add].filter((each) => each > now)
        expect(times.nextAfter(now)).toBe(left.length === 0 ? undefined : Math.min(...left))
      }
    }),
  )
})
