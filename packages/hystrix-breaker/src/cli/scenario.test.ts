import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../errors.ts'
import { demoScenario } from './demo-scenario.ts'
import { readScenario } from './scenario.ts'

describe('a scenario', () => {
  test('has its defaults, and its steps in the order of time', () => {
    const scenario = readScenario({
      breakers: {
        a: {
          steps: [
            { at: '5s', fails: 1 },
            { at: 0, rate: 2, takes: ['1s', 2000] },
          ],
        },
      },
    })
    expect(scenario).toMatchObject({
      duration: 35_000,
      seed: 1,
      breakers: [
        { name: 'a', fallback: false, options: {}, steps: [{ at: 0, takes: [1000, 2000] }, { at: 5000 }] },
      ],
    })
  })

  test('that is shown by --demo is one', () => {
    expect(demoScenario().breakers.length).toBeGreaterThan(4)
  })

  const steps = [{ at: 0, rate: 1 }]
  test.each([
    [[], /the scenario must be an object, not an array/],
    [null, /the scenario must be an object, not null/],
    [{ breakers: {} }, /breakers must be 1 to 100, not 0/],
    [{ breakers: { a: { steps } }, sede: 1 }, /the scenario: there is no "sede"/],
    [{ breakers: { a: { steps } }, seed: -1 }, /seed must be a whole number/],
    [{ breakers: { a: { steps } }, duration: 0 }, /duration must be a duration/],
    [{ breakers: { a: {} } }, /breakers\.a\.steps must be a list/],
    [{ breakers: { a: { steps: [] } } }, /breakers\.a\.steps must be a list/],
    [{ breakers: { a: { steps: [{ rate: 1 }] } } }, /breakers\.a\.steps\[0\]\.at must be a duration/],
    [
      { breakers: { a: { steps: [{ at: 0, fails: 2 }] } } },
      /breakers\.a\.steps\[0\]\.fails must be a number of 0 to 1/,
    ],
    [{ breakers: { a: { steps: [{ at: 0, takes: [2, 1] }] } } }, /takes must be a duration, or the shortest/],
    [
      { breakers: { a: { steps: [{ at: 0, do: 'explode' }] } } },
      /do must be one of force-open, .*, not "explode"/,
    ],
    [
      { breakers: { a: { steps, options: { volumeThreshold: -1 } } } },
      /breakers\.a\.options: volumeThreshold must be/,
    ],
    [{ breakers: { a: { steps, options: { name: 'b' } } } }, /name cannot be given/],
    [{ breakers: { a: { steps, options: { sleepWindow: { factor: 0 } } } } }, /factor must be/],
    [
      { breakers: { a: { steps, preset: { nobody: {} } } } },
      /preset must name one of hystrix, .*, not "nobody"/,
    ],
    [{ breakers: { a: { steps, preset: { polly: { zork: 1 } } } } }, /there is no "zork"/],
    [
      { breakers: { a: { steps, preset: { polly: {} }, options: { probes: 2 } } } },
      /probes stands beside circuit/,
    ],
    [{ breakers: { a: { steps: [{ at: 0, rate: 10_000 }] } }, duration: '1h' }, /has 36000000 calls/],
  ])('is not %j', (value, message) => {
    expect(() => readScenario(value)).toThrow(InvalidOptionError)
    expect(() => readScenario(value)).toThrow(message)
  })

  test('cannot name __proto__ as a preset', () => {
    const preset: unknown = JSON.parse('{"__proto__":{}}')
    expect(() => readScenario({ breakers: { a: { steps, preset } } })).toThrow(/must name one of/)
  })
})
