import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Ejection, OutlierDetector, type OutlierResult } from './outlier.ts'
import { checkOutlierOptions, type OutlierOptions } from './outlier-options.ts'

const never = (): number => {
  throw new Error('no random number is needed here')
}

function detector(ids: readonly string[], options: OutlierOptions = {}, random = never): OutlierDetector {
  const made = new OutlierDetector(options, random)
  for (const id of ids) made.add(id)
  return made
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `b${index}`)
}

/** Reports `result` `times` times and gives the last ejection. */
function repeat(
  made: OutlierDetector,
  id: string,
  result: OutlierResult,
  times: number,
  now: number,
): Ejection | undefined {
  let last: Ejection | undefined
  for (let i = 0; i < times; i++) last = made.report(id, result, now) ?? last
  return last
}

describe('runs of failures', () => {
  test('five in a row eject for 30 s, the second time for 60 s, by the defaults', () => {
    const made = detector(names(10))
    expect(repeat(made, 'b0', 500, 4, 1000)).toBeUndefined()
    expect(made.report('b0', 500, 1001)).toEqual({
      id: 'b0',
      at: 1001,
      until: 31_001,
      reason: 'consecutive-5xx',
      times: 1,
    })
    expect(made.nextDue).toBe(31_001)
    expect(made.due(31_000)).toEqual([])
    expect(made.due(31_001)).toEqual(['b0'])
    expect(made.ejected('b0')).toBeUndefined()
    expect(repeat(made, 'b0', 500, 5, 32_000)).toMatchObject({ at: 32_000, until: 92_000, times: 2 })
  })

  test('one success begins the count anew', () => {
    const made = detector(names(2))
    repeat(made, 'b0', 500, 4, 0)
    made.report('b0', 200, 0)
    expect(repeat(made, 'b0', 500, 4, 0)).toBeUndefined()
    expect(made.report('b0', 599, 0)).toMatchObject({ id: 'b0' })
  })

  test.each([
    ['success', 0],
    ['5xx', 1],
    ['gateway-failure', 1],
    ['local-origin-failure', 1],
    [404, 0],
    [499, 0],
    [600, 0],
  ] as const)('%s counts as a failure: %i', (result, failure) => {
    expect(repeat(detector(names(3)), 'b1', result, 5, 0) === undefined).toBe(failure === 0)
  })

  test.each([200, 404, 500, 501, 505])(
    'gateway failures have a rule of their own, which a %i interrupts',
    (status) => {
      const made = detector(names(2), {
        consecutive5xx: 100,
        consecutiveGatewayFailure: 3,
        enforcingConsecutiveGatewayFailure: 100,
      })
      made.report('b0', 502, 0)
      made.report('b0', 503, 0)
      made.report('b0', status, 0)
      expect(repeat(made, 'b0', 504, 2, 0)).toBeUndefined()
      expect(made.report('b0', 'gateway-failure', 0)).toMatchObject({ reason: 'consecutive-gateway-failure' })
    },
  )

  test('by the defaults gateway failures are found but eject nobody; the rule of 5xx does', () => {
    const made = detector(names(2), { consecutiveGatewayFailure: 3 })
    expect(repeat(made, 'b0', 503, 4, 0)).toBeUndefined()
    expect(made.report('b0', 503, 0)).toMatchObject({ reason: 'consecutive-5xx' })
  })

  test('failed connections are counted apart when they are split from answers', () => {
    const options = { splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailure: 3 }
    const made = detector(names(2), options)
    repeat(made, 'b0', 'local-origin-failure', 2, 0)
    // An answer, be it a 500, shows that connections work.
    made.report('b0', 500, 0)
    expect(repeat(made, 'b0', 'local-origin-failure', 2, 0)).toBeUndefined()
    expect(made.report('b0', 'local-origin-failure', 0)).toMatchObject({
      reason: 'consecutive-local-origin-failure',
    })
  })

  test('0 turns a rule off', () => {
    expect(repeat(detector(names(2), { consecutive5xx: 0 }), 'b0', 500, 1000, 0)).toBeUndefined()
  })

  test('failures of an ejected backend neither prolong its ejection nor count after it', () => {
    const made = detector(names(2))
    repeat(made, 'b0', 500, 12, 0)
    expect(made.ejected('b0')?.until).toBe(30_000)
    made.due(30_000)
    expect(repeat(made, 'b0', 500, 4, 30_000)).toBeUndefined()
  })

  test('reports on a backend that is not watched are nothing', () => {
    const made = detector(['a'])
    expect(repeat(made, 'gone', 500, 9, 0)).toBeUndefined()
    made.remove('a')
    expect(repeat(made, 'a', 500, 9, 0)).toBeUndefined()
  })
})

describe('how long', () => {
  test('n times the base, at most the maximum', () => {
    const made = detector(names(2), { baseEjectionTime: '10s', maxEjectionTime: '25s' })
    const lengths: number[] = []
    for (let now = 0; lengths.length < 4; now += 30_000) {
      made.due(now)
      const { at, until } = repeat(made, 'b0', 500, 5, now) ?? { at: 0, until: 0 }
      lengths.push(until - at)
    }
    expect(lengths).toEqual([10_000, 20_000, 25_000, 25_000])
  })

  test('the multiplier falls by one with each interval that a returned backend stays', () => {
    const made = detector(names(2))
    repeat(made, 'b0', 500, 5, 0)
    made.due(30_000)
    repeat(made, 'b0', 500, 5, 30_000)
    expect(made.ejected('b0')?.until).toBe(90_000)
    made.due(90_000)
    made.tick(99_999)
    made.tick(100_000)
    // 2, less 1 for the one tick that came an interval or more after the return, and 1 for this ejection.
    expect(repeat(made, 'b0', 500, 5, 100_001)).toMatchObject({ until: 160_001, times: 3 })
  })

  test('the multiplier rises no further than is needed for the maximum', () => {
    const made = detector(names(2), { baseEjectionTime: '10s', maxEjectionTime: '25s', interval: '1s' })
    let now = 0
    for (let times = 0; times < 9; times++, now += 25_000) {
      made.due(now)
      repeat(made, 'b0', 500, 5, now)
    }
    made.due(now)
    // From 4, which is 25 s and the base above it, three quiet intervals lead to 1.
    for (let ticks = 0; ticks < 3; ticks++) made.tick((now += 1000))
    expect(repeat(made, 'b0', 500, 5, now)?.until).toBe(now + 20_000)
  })

  test('long after, it is as the first time', () => {
    const made = detector(names(2))
    repeat(made, 'b0', 500, 5, 0)
    for (let now = 10_000; now <= 100_000; now += 10_000) made.tick(now)
    expect(repeat(made, 'b0', 500, 5, 100_000)).toMatchObject({ until: 130_000, times: 2 })
  })

  test('jitter adds whole milliseconds, its maximum included', () => {
    const made = detector(names(3), { maxEjectionTimeJitter: 100, maxEjectionPercent: 100 }, () => 0.9999)
    expect(repeat(made, 'b0', 500, 5, 0)?.until).toBe(30_100)
  })

  test('a passing active check ends an ejection and clears the counts', () => {
    const made = detector(names(2))
    repeat(made, 'b0', 500, 5, 0)
    expect(made.passedActiveCheck('b0', 5000)).toBe(true)
    expect(made.passedActiveCheck('b0', 5000)).toBe(false)
    expect(made.ejected('b0')).toBeUndefined()
    expect(made.nextDue).toBeUndefined()
    expect(repeat(made, 'b0', 500, 4, 6000)).toBeUndefined()
    expect(made.report('b0', 500, 6000)).toMatchObject({ until: 66_000 })
  })

  test('unless the options say otherwise', () => {
    const made = detector(names(2), { successfulActiveHealthCheckUnejectHost: false })
    repeat(made, 'b0', 500, 5, 0)
    expect(made.passedActiveCheck('b0', 5000)).toBe(false)
    expect(made.ejected('b0')).toBeDefined()
  })
})

describe('how many', () => {
  test.each([
    [3, {}, 1],
    [10, {}, 1],
    [19, {}, 1],
    [25, {}, 2],
    [40, {}, 4],
    [4, { maxEjectionPercent: 50 }, 2],
    [4, { maxEjectionPercent: 0 }, 1],
    [4, { maxEjectionPercent: 100 }, 4],
    [9, { alwaysEjectOneHost: false }, 0],
    [10, { alwaysEjectOneHost: false }, 1],
  ])('of %i with %o at most %i', (count, options, most) => {
    const made = detector(names(count), options)
    const ejections = names(count).map((id) => repeat(made, id, 500, 5, 0))
    expect(ejections.filter((ejection) => ejection !== undefined)).toHaveLength(most)
  })

  test('who is removed makes room', () => {
    const made = detector(names(10))
    repeat(made, 'b0', 500, 5, 0)
    expect(repeat(made, 'b1', 500, 5, 0)).toBeUndefined()
    made.remove('b0')
    expect(repeat(made, 'b1', 500, 5, 0)).toMatchObject({ id: 'b1' })
  })

  test('enforcing is a chance in percent: whole percents below it eject', () => {
    const draws = [0.5, 0.49]
    const random = (): number => draws.shift() ?? never()
    const made = detector(names(4), { enforcingConsecutive5xx: 50, maxEjectionPercent: 100 }, random)
    expect(repeat(made, 'b0', 500, 5, 0)).toBeUndefined()
    expect(repeat(made, 'b1', 500, 5, 0)).toMatchObject({ id: 'b1' })
    expect(repeat(detector(names(2), { enforcingConsecutive5xx: 0 }), 'b0', 500, 50, 0)).toBeUndefined()
  })
})

test('whatever is reported: never too many out, none out too short or too long, all back in the end', () => {
  const events = fc.array(
    fc.record({
      wait: fc.nat(4000),
      backend: fc.nat(11),
      result: fc.constantFrom<OutlierResult>(
        200,
        'success',
        500,
        503,
        '5xx',
        'gateway-failure',
        'local-origin-failure',
      ),
      times: fc.integer({ min: 1, max: 7 }),
    }),
    { maxLength: 200 },
  )
  const settings = fc.record(
    {
      maxEjectionPercent: fc.nat(100),
      baseEjectionTime: fc.integer({ min: 1, max: 20_000 }),
      maxEjectionTimeJitter: fc.nat(500),
      enforcingConsecutive5xx: fc.nat(100),
      enforcingConsecutiveGatewayFailure: fc.nat(100),
      splitExternalLocalOriginErrors: fc.boolean(),
      successRateRequestVolume: fc.nat(10),
      failurePercentageRequestVolume: fc.nat(10),
      enforcingFailurePercentage: fc.nat(100),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(
      events,
      settings,
      fc.integer({ min: 1, max: 12 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      (given, options, count, draws) => {
        const random = (): number => draws.next().value ?? 0
        const made = detector(names(count), options, random)
        const { baseEjectionTime, maxEjectionTime, maxEjectionTimeJitter, maxEjectionPercent } =
          checkOutlierOptions(options)
        const most = Math.max(1, Math.floor((maxEjectionPercent * count) / 100))
        const out = new Map<string, Ejection>()
        const leave = (ejection: Ejection | undefined): void => {
          if (ejection === undefined) return
          const length = ejection.until - ejection.at
          expect(out.has(ejection.id)).toBe(false)
          expect(length).toBeGreaterThanOrEqual(baseEjectionTime)
          expect(length).toBeLessThanOrEqual(maxEjectionTime + maxEjectionTimeJitter)
          out.set(ejection.id, ejection)
          expect(out.size).toBeLessThanOrEqual(most)
        }
        const back = (ids: readonly string[], now: number): void => {
          for (const id of ids) {
            expect(out.get(id)?.until).toBeLessThanOrEqual(now)
            out.delete(id)
          }
        }
        let now = 0
        let nextTick = made.interval
        for (const { wait, backend, result, times } of given) {
          now += wait
          for (; nextTick <= now; nextTick += made.interval) {
            const { ejected, returned } = made.tick(nextTick)
            back(returned, nextTick)
            for (const ejection of ejected) leave(ejection)
          }
          back(made.due(now), now)
          for (let i = 0; i < times; i++) leave(made.report(`b${backend}`, result, now))
          for (const id of names(count)) expect(made.ejected(id)).toEqual(out.get(id))
        }
        back(made.due(now + maxEjectionTime + maxEjectionTimeJitter), Number.POSITIVE_INFINITY)
        expect([out.size, made.nextDue]).toEqual([0, undefined])
      },
    ),
  )
})

test('adding twice keeps what is known', () => {
  const made = detector(names(3))
  repeat(made, 'b0', 500, 5, 0)
  made.add('b0')
  expect(made.ejected('b0')).toBeDefined()
})

test('ids that are names of every object are ordinary', () => {
  const made = detector(['__proto__', 'constructor', ''])
  expect(repeat(made, '__proto__', 500, 5, 0)).toMatchObject({ id: '__proto__' })
  expect(repeat(made, 'toString', 500, 5, 0)).toBeUndefined()
})

test.each(['ok', 99, 200.5, Number.NaN, null])('refuses the result %s', (result) => {
  const made = detector(names(1))
  expect(() => Reflect.apply(made.report, made, ['b0', result, 0])).toThrow(/success, 5xx/)
})
