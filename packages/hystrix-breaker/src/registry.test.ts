import { describe, expect, test } from 'vitest'
import { collapser } from './batch/collapser.ts'
import { Breaker } from './breaker.ts'
import { InvalidOptionError } from './errors.ts'
import { breaker as guard } from './guarded-function.ts'
import { Registry } from './registry.ts'

function named(name: string): Breaker {
  return new Breaker({ name })
}

function namesOf(registry: Registry): string[] {
  return [...registry].map(({ name }) => name)
}

/** The warnings of this process while `body` runs, and of the turn after it, in which Node sends them. */
async function warningsOf(body: () => void): Promise<string[]> {
  const seen: string[] = []
  const listener = (warning: Error): void => {
    if (warning.name === 'ResilienceWarning') seen.push(warning.message)
  }
  process.on('warning', listener)
  body()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listener)
  return seen
}

describe('a registry', () => {
  test('keeps breakers by name, and makes those that there are not', () => {
    const registry = new Registry()
    const users = named('users')
    registry.add(users)
    expect(registry.get('users')).toBe(users)
    expect(registry.get('__proto__')).toBeUndefined()
    const proto = registry.getOrCreate('__proto__', named)
    expect(registry.getOrCreate('__proto__', () => expect.unreachable())).toBe(proto)
    expect(namesOf(registry)).toEqual(['users', '__proto__'])
    expect(registry.delete('users')).toBe(true)
    expect(registry.delete('users')).toBe(false)
    expect(registry.size).toBe(1)
  })

  test('forgets the one that was not used for longest, and warns once', async () => {
    const registry = new Registry({ max: 2 })
    const events: string[] = []
    registry.on('add', ({ name }) => events.push(`add ${name}`))
    registry.on('evict', ({ name, breaker }) => events.push(`evict ${name} ${breaker.name}`))
    const warnings = await warningsOf(() => {
      for (const name of ['a', 'b']) registry.add(named(name))
      registry.get('a')
      for (const name of ['c', 'd']) registry.add(named(name))
    })
    expect(namesOf(registry)).toEqual(['c', 'd'])
    expect(events).toEqual(['add a', 'add b', 'add c', 'evict b b', 'add d', 'evict a a'])
    expect(warnings).toEqual([expect.stringMatching(/keeps 2 and has let "b" go/)])
  })

  test('stays bounded under names that never come back', async () => {
    const registry = new Registry({ max: 10 })
    const warnings = await warningsOf(() => {
      for (let n = 0; n < 5_000; n++) registry.getOrCreate(`caller ${n}`, named)
    })
    expect(registry.size).toBe(10)
    expect(warnings).toHaveLength(1)
  })

  test('what was evicted still works', async () => {
    const registry = new Registry({ max: 1 })
    const first = named('first')
    await warningsOf(() => {
      registry.add(first)
      registry.add(named('second'))
    })
    expect(await first.execute(() => 'answer')).toBe('answer')
  })

  test('a second breaker of a name replaces the first, and says so', () => {
    const registry = new Registry()
    const [first, second] = [named('users'), named('users')]
    const events: unknown[] = []
    registry.on('duplicate', (event) => events.push(event))
    for (const each of [first, first, second]) registry.add(each)
    expect(events).toEqual([{ name: 'users', breaker: second, replaced: first }])
    expect([...registry]).toEqual([second])
  })

  test('disposing of it disposes of its breakers', async () => {
    const registry = new Registry()
    const users = registry.getOrCreate('users', named)
    const hanging = users.execute(() => new Promise(() => {}))
    await registry[Symbol.asyncDispose]()
    await expect(hanging).rejects.toMatchObject({ code: 'DISPOSED' })
    expect(registry.size).toBe(0)
  })

  test('keeps collapsers by name, as many', async () => {
    const registry = new Registry({ max: 2 })
    const observed = (name: string) => ({
      name,
      settings: { max: 10, window: 10, cache: true },
      rolling: () => ({ requests: 0, batches: 0, fromCache: 0 }),
      batchSize: () => ({ mean: 0, percentile: () => 0 }),
    })
    await warningsOf(() => {
      for (const name of ['a', 'b', 'a', 'c']) registry.addCollapser(observed(name))
    })
    expect(registry.collapsers.map(({ name }) => name)).toEqual(['a', 'c'])
  })

  test('takes what breaker and collapser gave, and refuses what is none', () => {
    const registry = new Registry()
    const guarded = guard(() => 1, { name: 'guarded' })
    const getUser = collapser({ name: 'getUser', load: (ids: readonly number[]) => ids })
    registry.add(guarded)
    registry.addCollapser(getUser)
    registry.addCollapser(getUser.metrics)
    expect([...registry]).toEqual([guarded.breaker])
    expect(registry.collapsers).toEqual([getUser.metrics])
    for (const none of [undefined, null, 1, 'users', () => 1, {}, { breaker: {} }, { name: 'users' }]) {
      expect(() => registry.add(none as never)).toThrow(/^add takes a Breaker or a function of breaker/)
      expect(() => registry.addCollapser(none as never)).toThrow(InvalidOptionError)
    }
    expect(registry.size).toBe(1)
  })

  test.each([0, -1, 1.5, Number.NaN, 2_000_000, '10'])('refuses max %j', (max) => {
    expect(() => new Registry({ max: max as number })).toThrow(/^max must be a whole number/)
  })

  test('refuses options that there are not, and a breaker of another name', () => {
    expect(() => new Registry({ size: 1 } as object)).toThrow(/there is no "size"/)
    expect(() => new Registry().getOrCreate('a', () => named('b'))).toThrow(
      /getOrCreate\("a"\) made a breaker named "b"/,
    )
  })
})
