import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Health } from '../backend.ts'
import { type HealthFact, type HealthFacts, initialFacts, learn, stateOf, type Verdict } from './health.ts'

const thresholds = { healthy: 2, unhealthy: 3 }

function after(facts: HealthFacts, results: readonly Verdict[]): HealthFacts {
  return results.reduce((last, result) => learn(last, { type: 'checked', result }, thresholds), facts)
}

test('the state follows from the facts: people, then checks, then traffic', () => {
  const admins = ['enabled', 'draining', 'disabled'] as const
  const verdicts = ['healthy', 'degraded', 'unhealthy'] as const
  const table = admins.flatMap((admin) =>
    verdicts.flatMap((verdict) =>
      [false, true].map((ejected) => [
        `${admin} ${verdict} ${ejected ? 'ejected' : 'in'}`,
        stateOf({ admin, verdict, ejected, contradictions: 0 }),
      ]),
    ),
  )
  expect(Object.fromEntries(table)).toEqual({
    'enabled healthy in': 'healthy',
    'enabled healthy ejected': 'ejected',
    'enabled degraded in': 'degraded',
    'enabled degraded ejected': 'ejected',
    'enabled unhealthy in': 'unhealthy',
    'enabled unhealthy ejected': 'unhealthy',
    'draining healthy in': 'draining',
    'draining healthy ejected': 'draining',
    'draining degraded in': 'draining',
    'draining degraded ejected': 'draining',
    'draining unhealthy in': 'draining',
    'draining unhealthy ejected': 'draining',
    'disabled healthy in': 'disabled',
    'disabled healthy ejected': 'disabled',
    'disabled degraded in': 'disabled',
    'disabled degraded ejected': 'disabled',
    'disabled unhealthy in': 'disabled',
    'disabled unhealthy ejected': 'disabled',
  })
})

test.each<[Health, Health]>([
  ['healthy', 'healthy'],
  ['degraded', 'degraded'],
  ['unhealthy', 'unhealthy'],
  ['ejected', 'unhealthy'],
  ['draining', 'draining'],
  ['disabled', 'disabled'],
])('a backend configured %s begins %s', (given, state) => {
  expect(stateOf(initialFacts(given, undefined))).toBe(state)
})

test('the first result decides alone, whatever was believed', () => {
  expect(after(initialFacts('healthy', undefined), ['unhealthy']).verdict).toBe('unhealthy')
  expect(after(initialFacts('healthy', 'unhealthy'), ['healthy']).verdict).toBe('healthy')
  expect(after(initialFacts('unhealthy', undefined), ['degraded']).verdict).toBe('degraded')
})

test('later, only as many contradictions in a row as the threshold', () => {
  const up = after(initialFacts('healthy', undefined), ['healthy'])
  expect(after(up, ['unhealthy', 'unhealthy']).verdict).toBe('healthy')
  expect(after(up, ['unhealthy', 'unhealthy', 'healthy', 'unhealthy', 'unhealthy']).verdict).toBe('healthy')
  const down = after(up, ['unhealthy', 'unhealthy', 'unhealthy'])
  expect(down.verdict).toBe('unhealthy')
  expect(after(down, ['healthy', 'unhealthy', 'healthy']).verdict).toBe('unhealthy')
  expect(after(down, ['healthy', 'degraded']).verdict).toBe('degraded')
})

test('a backend that passes says itself whether it is degraded', () => {
  const up = after(initialFacts('healthy', undefined), ['healthy'])
  expect(after(up, ['degraded']).verdict).toBe('degraded')
  expect(after(up, ['degraded', 'healthy']).verdict).toBe('healthy')
})

test('a verdict is what the last run of results of its length said (model: look at the whole history)', () => {
  const passes = (result: Verdict): boolean => result !== 'unhealthy'
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom<Verdict>('healthy', 'degraded', 'unhealthy'), { minLength: 1, maxLength: 40 }),
      (results) => {
        let up = passes(results[0] ?? 'healthy')
        for (let end = 1; end <= results.length; end++) {
          const need = up ? thresholds.unhealthy : thresholds.healthy
          const tail = results.slice(Math.max(0, end - need), end)
          if (tail.length === need && tail.every((result) => passes(result) !== up)) up = !up
        }
        expect(passes(after(initialFacts('healthy', undefined), results).verdict)).toBe(up)
      },
    ),
  )
})

test('facts of different sources do not touch each other', () => {
  const check: fc.Arbitrary<HealthFact> = fc
    .constantFrom<Verdict>('healthy', 'degraded', 'unhealthy')
    .map((result) => ({ type: 'checked', result }))
  const outlier: fc.Arbitrary<HealthFact> = fc.constantFrom({ type: 'ejected' }, { type: 'returned' })
  const admin: fc.Arbitrary<HealthFact> = fc.constantFrom(
    { type: 'drain' },
    { type: 'disable' },
    { type: 'enable' },
  )
  const last = (facts: readonly HealthFact[], start: HealthFacts): HealthFacts =>
    facts.reduce((known, fact) => learn(known, fact, thresholds), start)
  fc.assert(
    fc.property(fc.array(fc.oneof(check, outlier, admin), { maxLength: 40 }), (facts) => {
      const start = initialFacts('healthy', undefined)
      const together = last(facts, start)
      const of = (types: readonly string[]): HealthFacts =>
        last(
          facts.filter(({ type }) => types.includes(type)),
          start,
        )
      expect(together.verdict).toBe(of(['checked']).verdict)
      expect(together.ejected).toBe(of(['ejected', 'returned']).ejected)
      expect(together.admin).toBe(of(['drain', 'disable', 'enable']).admin)
    }),
  )
})
