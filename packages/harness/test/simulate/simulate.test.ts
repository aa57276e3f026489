import { createClock } from '@sinonjs/fake-timers'
import * as fc from 'fast-check'
import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import {
  type Clock,
  HarnessError,
  type HarnessErrorCode,
  isHarnessError,
  type Random,
  type Simulation,
  type SimulationResult,
  simulate,
  type Task,
} from '../../src/index.ts'
import { spentMs } from '../spent.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

async function failureOf(work: Promise<unknown>): Promise<HarnessError> {
  const error = await work.then(
    () => new Error('the simulation passed'),
    (reason: unknown) => reason,
  )
  if (!isHarnessError(error)) throw error
  return error
}

const once = (body: (simulation: Simulation) => unknown): Promise<SimulationResult> =>
  simulate({ seed: 1, runs: 1 }, body)

describe('interleavings', () => {
  const increments = (guarded: boolean) =>
    simulate({ seed: 5, runs: 200 }, async ({ spawn, step }) => {
      let counter = 0
      let tail = Promise.resolve()
      const increment = async (): Promise<void> => {
        const read = counter
        await step('between read and write')
        counter = read + 1
      }
      const locked = (): Promise<void> => (tail = tail.then(increment))
      const work = guarded ? locked : increment
      await Promise.all([spawn('one', work), spawn('two', work), spawn('three', work)])
      expect(counter).toBe(3)
    })

  test('a lost update is found, with a mutex there is none', async () => {
    expect((await failureOf(increments(false))).code).toBe('SIMULATION_FAILED')
    expect(await increments(true)).toMatchObject({ seed: 5, runs: 200 })
  })

  test('all orders of three tasks occur, and of three timers of one moment', async () => {
    const ofTasks = new Set<string>()
    const ofTimers = new Set<string>()
    await simulate({ seed: 9, runs: 200 }, async ({ spawn, clock }) => {
      let tasks = ''
      let timers = ''
      for (const name of 'abc') {
        spawn(name, () => {
          tasks += name
        })
        clock.setTimeout(() => {
          timers += name
        }, 10)
      }
      await clock.sleep(11)
      ofTasks.add(tasks)
      ofTimers.add(timers)
    })
    const all = ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']
    expect([...ofTasks].toSorted()).toEqual(all)
    expect([...ofTimers].toSorted()).toEqual(all)
  })

  test('interleave: answers arrive at scheduling points, errors too, and private fields work', async () => {
    class Store {
      #value = 0
      async get(): Promise<number> {
        return this.#value
      }
      async set(value: number): Promise<void> {
        if (value < 0) throw new RangeError('negative')
        this.#value = value
      }
      peek(): number {
        return this.#value
      }
    }
    const error = await failureOf(
      simulate({ seed: 1, runs: 200 }, async ({ spawn, interleave }) => {
        const store = interleave(new Store())
        await expect(store.set(-1)).rejects.toThrow(RangeError)
        const add = async (): Promise<void> => store.set((await store.get()) + 1)
        await Promise.all([spawn('one', add), spawn('two', add)])
        if (store.peek() !== 2) throw new Error('lost')
      }),
    )
    expect(error.message).toContain('lost')
  })
})

test('interleave: frozen objects, built-in ones and writes pass through', async () => {
  await once(async ({ interleave }) => {
    const frozen = interleave(Object.freeze({ answer: async () => 42 }))
    expect(await frozen.answer()).toBe(42)
    const map = interleave(new Map([['key', 1]]))
    expect([map.get('key'), map.size, map instanceof Map]).toEqual([1, 1, true])
    const plain = { value: 1 }
    interleave(plain).value = 2
    expect(plain.value).toBe(2)
  })
})

describe('the clock', () => {
  // The time limit of the test is for machines that do much else meanwhile.
  test('a month of 1-second timers takes less than 10 s', { timeout: 120_000 }, async () => {
    const seconds = 30 * 24 * 3600
    const started = process.threadCpuUsage()
    let end = 0
    await simulate({ seed: 1, runs: 1, maxSteps: seconds + 10 }, async ({ clock }) => {
      for (let second = 0; second < seconds; second++) await clock.sleep(1_000)
      end = clock.monotonic()
    })
    expect(spentMs(started)).toBeLessThan(10_000)
    expect(end).toBe(seconds * 1_000)
  })

  test('steps and drift of the wall clock move neither monotonic time nor timers', async () => {
    await once(async ({ clock }) => {
      expect(clock.now()).toBe(Date.UTC(2000, 0, 1))
      const fired: number[] = []
      clock.setTimeout(() => fired.push(clock.monotonic()), 1_000)
      await clock.sleep(500)
      clock.jump(-86_400_000)
      expect(clock.now()).toBe(Date.UTC(1999, 11, 31) + 500)
      expect(clock.monotonic()).toBe(500)
      await clock.sleep(600)
      expect(fired).toEqual([1_000])
      clock.jump(86_400_000)
      clock.drift(1_000)
      await clock.sleep(100_000)
      expect(clock.monotonic()).toBe(101_100)
      expect(clock.now()).toBe(Date.UTC(2000, 0, 1) + 101_100 + 100)
    })
  })

  test('fires what @sinonjs/fake-timers fires, at the same times', async () => {
    const timer = fc.record({
      delay: fc.integer({ min: 1, max: 50 }),
      clears: fc.option(fc.nat(20)),
      again: fc.nat(30),
    })
    const property = fc.asyncProperty(fc.array(timer, { maxLength: 20 }), async (timers) => {
      const firings = <Handle>(
        set: (callback: () => void, delay: number) => Handle,
        clear: (handle: Handle) => void,
        now: () => number,
      ) => {
        const fired: string[] = []
        const handles: Handle[] = []
        for (const [index, { delay, clears, again }] of timers.entries()) {
          const callback = (): void => {
            fired.push(`${now()} ${index}`)
            if (again > 0) set(() => fired.push(`${now()} again ${index}`), again + 50)
          }
          handles.push(set(callback, delay))
          const cleared = clears === null ? undefined : handles[clears]
          if (cleared !== undefined) clear(cleared)
        }
        return fired
      }
      const oracle = createClock(0)
      const expected = firings(oracle.setTimeout, oracle.clearTimeout, () => oracle.now)
      oracle.tick(1_000)
      await once(async ({ clock }) => {
        const fired = firings(clock.setTimeout, clock.clearTimeout, clock.monotonic)
        await clock.sleep(1_000)
        // Within one moment the order is the schedule's.
        expect(fired.toSorted()).toEqual(expected.toSorted())
        expect(clock.pending).toBe(0)
      })
    })
    await fc.assert(property, { numRuns: 200 })
  })

  test('a timer cleared by another one of its moment does not fire', async () => {
    await simulate({ seed: 1, runs: 50 }, async ({ clock }) => {
      let fired = 0
      const handles: unknown[] = []
      for (const other of [1, 0]) {
        handles.push(
          clock.setTimeout(() => {
            fired++
            clock.clearTimeout(handles[other])
          }, 5),
        )
      }
      await clock.sleep(6)
      expect(fired).toBe(1)
    })
  })

  test('sleep ends by its signal with the reason, and takes more than 2^31 ms', async () => {
    await once(async ({ clock, spawn }) => {
      const stop = new AbortController()
      const reason = new Error('stop')
      const sleeper = spawn('sleeper', () => clock.sleep(1_000, { signal: stop.signal }))
      await clock.sleep(10)
      stop.abort(reason)
      await expect(Promise.resolve(sleeper)).rejects.toBe(reason)
      await expect(clock.sleep(5, { signal: stop.signal })).rejects.toBe(reason)
      expect([clock.monotonic(), clock.pending]).toEqual([10, 0])
      await clock.sleep(2 ** 33)
      expect(clock.monotonic()).toBe(10 + 2 ** 33)
      expect(() => clock.sleep(Number.NaN)).toThrow(/sleep\(ms\) .* got NaN/)
    })
  })

  test('delays are those of Node: 0, fractions, too long, not a number', async () => {
    await once(async ({ clock }) => {
      const fired: string[] = []
      for (const delay of [0, -5, 1.9, Number.NaN, 2 ** 31, 2.5]) {
        clock.setTimeout(() => fired.push(`${delay} at ${clock.monotonic()}`), delay)
      }
      await clock.sleep(3)
      expect(fired.toSorted()).toEqual([
        '-5 at 1',
        '0 at 1',
        '1.9 at 1',
        '2.5 at 2',
        '2147483648 at 1',
        'NaN at 1',
      ])
    })
  })
})

describe('random', () => {
  test('stays in its bounds and reaches them', async () => {
    await once(({ random }) => {
      const drawn = Array.from({ length: 2_000 }, () => random.integer(-2, 2))
      expect([...new Set(drawn)].toSorted((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2])
      const units = Array.from({ length: 2_000 }, () => random.next())
      expect(units.every((unit) => unit >= 0 && unit < 1)).toBe(true)
      const mean = units.reduce((sum, unit) => sum + unit, 0) / units.length
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.05)
      expect(random.shuffle([1, 2, 3, 4]).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4])
      expect(random.from(fc.constantFrom('x'))).toBe('x')
      expect(() => random.pick([])).toThrow(/got an empty array/)
      expect(() => random.integer(2, 1)).toThrow(/\(2, 1\)/)
      expect(() => random.boolean(Number.NaN)).toThrow(/got NaN/)
      expect(() => random.boolean(2)).toThrow(/got 2/)
    })
  })

  test('drawing values leaves the interleaving as it was', async () => {
    const order = async (draws: number): Promise<string> => {
      let started = ''
      await once(async ({ spawn, random }) => {
        for (let draw = 0; draw < draws; draw++) random.next()
        await Promise.all(Array.from('abcdefgh', (name) => spawn(name, () => (started += name))))
      })
      return started
    }
    expect(await order(10)).toBe(await order(0))
  })
})

describe('failures', () => {
  test('say what was thrown, the seed, the command, the trace; the cause is kept', async () => {
    const cause = new Error('broken\nin two lines')
    const error = await failureOf(
      simulate({ seed: 77, runs: 5 }, async ({ step, log, seed }) => {
        log('before\nit')
        await step('work')
        if (seed === 79) throw cause
      }),
    )
    expect(error.code).toBe('SIMULATION_FAILED')
    expect(error.cause).toBe(cause)
    expect(error.message).toContain('run 3 of 5 failed: Error: broken')
    expect(error.message).toContain('seed    79')
    expect(error.message).toMatch(
      /replay {2}LOADBEARING_SEED=79 npx vitest run \S*test\/simulate\/simulate\.test\.ts/,
    )
    expect(error.message).toContain('    0 main log before\\nit\n    0 main step work\n')
  })

  test.each<[string, HarnessErrorCode, RegExp, (simulation: Simulation) => unknown]>([
    [
      'a deadlock names who waits and after what',
      'SIMULATION_DEADLOCK',
      /deadlock: .* 2 tasks wait: main \(after: start\), stuck \(after: step look\)/,
      ({ spawn, step }) => spawn('stuck', () => step('look').then(() => new Promise(() => {}))),
    ],
    [
      'a task that outlives the body must end too',
      'SIMULATION_DEADLOCK',
      /1 task waits: stuck/,
      ({ spawn }) => void spawn('stuck', () => new Promise(() => {})),
    ],
    [
      'a task that fails unseen fails the run',
      'SIMULATION_FAILED',
      /failed: Error: unseen/,
      ({ spawn }) => {
        spawn('failing', () => {
          throw new Error('unseen')
        })
      },
    ],
    [
      'a task that fails unseen is named rather than the deadlock it leaves',
      'SIMULATION_FAILED',
      /failed: Error: unseen/,
      ({ spawn }) => {
        spawn('failing', () => Promise.reject(new Error('unseen')))
        return new Promise(() => {})
      },
    ],
    [
      'a timer that throws',
      'SIMULATION_FAILED',
      /failed: Error: in a timer/,
      ({ clock }) => {
        clock.setTimeout(() => {
          throw new Error('in a timer')
        }, 5)
        return clock.sleep(10)
      },
    ],
    [
      'what is thrown need not be an error',
      'SIMULATION_FAILED',
      /failed: a value that cannot/,
      () => Promise.reject(Object.create(null)),
    ],
  ])('%s', async (_, code, message, body) => {
    const error = await failureOf(once(body))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
  })

  test('a run that never ends is stopped at maxSteps', async () => {
    const endless = simulate({ seed: 1, runs: 1, maxSteps: 1_000 }, async ({ spawn, clock }) => {
      await spawn('ticker', async () => {
        for (;;) await clock.sleep(1)
      })
    })
    const error = await failureOf(endless)
    expect(error.code).toBe('SIMULATION_STEPS_EXCEEDED')
    expect(error.message).toMatch(
      /maxSteps = 1000 steps: 2 tasks wait: main .*, ticker \(after: timer sleep\)/,
    )
  })

  test('a failure that is awaited is the awaiter’s to handle', async () => {
    await once(async ({ spawn, clock }) => {
      const task = spawn('failing', () => Promise.reject(new Error('seen')))
      await clock.sleep(10)
      await expect(Promise.resolve(task)).rejects.toThrow('seen')
      expect(spawn('failing', () => 1).name).toBe('failing#2')
    })
  })

  test('what a failed run leaves behind does not wake in the next', async () => {
    let woken = 0
    const body = ({ spawn, step }: Simulation): void => {
      spawn('late', async () => {
        await step()
        await step()
        woken++
      })
      throw new Error('at once')
    }
    await failureOf(once(body))
    await once(({ clock }) => clock.sleep(1_000))
    expect(woken).toBe(0)
    expect(process.listenerCount('unhandledRejection')).toBeLessThan(5)
  })
})

describe('options', () => {
  test.each([
    [{ seed: -1 }, /seed needs a whole number of \[0, 4294967295\], but got -1/],
    [{ seed: 1.5 }, /seed .* got 1.5/],
    [{ runs: 0 }, /runs .* got 0/],
    [{ maxSteps: Number.NaN }, /maxSteps .* got NaN/],
    [{ startTime: Infinity }, /startTime .* got Infinity/],
  ])('%j is refused', async (options, message) => {
    const error = await failureOf(simulate(options, () => {}))
    expect(error.code).toBe('BAD_OPTION')
    expect(error.message).toMatch(message)
  })

  test('what is no object, function or name is refused', async () => {
    const wrong: unknown[][] = [[null, () => {}], [7, () => {}], [{}], [() => {}]]
    for (const parameters of wrong) {
      const error = await failureOf(Reflect.apply(simulate, undefined, parameters))
      expect([error.code, error.message]).toEqual([
        'BAD_OPTION',
        expect.stringMatching(/simulate\(options, body\) needs/),
      ])
    }
    await once(({ spawn }) => {
      expect(() => Reflect.apply(spawn, undefined, [() => {}])).toThrow(/got function and undefined/)
    })
  })

  test('LOADBEARING_SEED makes one run of that seed; nonsense in it is refused', async () => {
    vi.stubEnv('LOADBEARING_SEED', '4242')
    const seeds: number[] = []
    const result = await simulate({ seed: 1, runs: 50 }, ({ seed }) => seeds.push(seed))
    expect(seeds).toEqual([4242])
    expect(result).toMatchObject({ seed: 4242, runs: 1 })
    for (const bad of ['', 'x', '-1', '4294967296', '1e3']) {
      vi.stubEnv('LOADBEARING_SEED', bad)
      const error = await failureOf(simulate({}, () => {}))
      expect([error.code, error.message]).toEqual(['BAD_OPTION', expect.stringContaining('LOADBEARING_SEED')])
    }
  })

  test('without a seed there are 100 runs from a fresh one', async () => {
    const seeds: number[] = []
    const first = await simulate({}, ({ seed }) => seeds.push(seed))
    const second = await simulate({}, () => {})
    expect(new Set(seeds).size).toBe(100)
    expect(first.seed).not.toBe(second.seed)
  })
})

test('an error of another copy of the package is known as one', async () => {
  const otherCopy = '../../src/errors.ts?copy'
  const { HarnessError: Other }: { HarnessError: typeof HarnessError } = await import(otherCopy)
  const error = new Other('BAD_OPTION', '')
  expect(error).not.toBeInstanceOf(HarnessError)
  expect(isHarnessError(error)).toBe(true)
  expect(isHarnessError(new HarnessError('BAD_OPTION', ''))).toBe(true)
  for (const value of [new Error('x'), null, undefined, 'x', {}]) expect(isHarnessError(value)).toBe(false)
})

test('types: the ports fit by shape, tasks carry their value', async () => {
  await once(async (simulation) => {
    expectTypeOf(simulation.clock).toExtend<Clock>()
    expectTypeOf(simulation.random).toExtend<Random>()
    expectTypeOf(simulation.spawn('task', async () => 'text')).toEqualTypeOf<Task<string>>()
    expectTypeOf(await simulation.spawn('task', () => 1)).toEqualTypeOf<number>()
    expectTypeOf(simulation.random.pick(['a', 1])).toEqualTypeOf<string | number>()
    expectTypeOf(simulation.random.from(fc.date())).toEqualTypeOf<Date>()
    expectTypeOf(simulation.interleave(new Map<string, number>())).toEqualTypeOf<Map<string, number>>()
  })
})
