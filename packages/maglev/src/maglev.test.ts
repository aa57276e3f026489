import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attach } from './attach.ts'
import type { Change } from './configuration.ts'
import { isMaglevError, MaglevError } from './errors.ts'
import type { HealthEvent, RebuildEvent } from './events.ts'
import { Maglev } from './maglev.ts'
import type { Scheduler } from './ports.ts'

/** A scheduler whose clock and queue the test moves. */
class ManualScheduler implements Scheduler {
  readonly tasks: (() => void)[] = []
  #now = 0

  /** Each look at the clock lets so much time pass that every slice is a single step of the build. */
  now(): number {
    this.#now += 1
    return this.#now
  }

  defer(task: () => void): void {
    this.tasks.push(task)
  }

  runOne(): void {
    this.tasks.shift()?.()
  }

  runAll(): number {
    let runs = 0
    for (; this.tasks.length > 0; runs++) this.runOne()
    return runs
  }
}

test('an empty table answers undefined, and pick throws', () => {
  const lb = new Maglev([])
  expect(lb.lookup('key')).toBeUndefined()
  expect(lb.replicas('key', 3)).toEqual([])
  expect(lb.lookupMany(['a', 'b'])).toEqual([undefined, undefined])
  expect(lb.explain('key')).toMatchObject({ reason: 'none', owner: undefined, preference: [] })
  expect(() => lb.pick('key')).toThrow(expect.objectContaining({ code: 'NO_BACKEND' }))
})

test('pick gives the backend with its data', () => {
  const lb = new Maglev([{ id: 'a', data: { port: 80 } }])
  expect(lb.pick('key').data?.port).toBe(80)
})

test('a lookup is the owner of the slot, whatever the order in which backends were given', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 20 }), fc.nat(), (ids, key) => {
      const lb = new Maglev(ids, { tableSize: 251 })
      expect(lb.lookup(key)).toBe(ids[lb.owners()[key % 251] ?? -1])
      expect(new Maglev(ids.toReversed(), { tableSize: 251 }).fingerprint).toBe(lb.fingerprint)
    }),
  )
})

test('Envoy retries by its own rule; other modes give another backend each time, and then none', () => {
  const hosts = [90, 91, 92, 93, 94, 95].map((port) => `127.0.0.1:${port}`)
  const envoy = new Maglev(hosts, { mode: 'envoy', tableSize: 7 })
  expect([0, 1, 2].map((attempt) => envoy.lookup(10, attempt))).toEqual([hosts[1], hosts[0], hosts[5]])
  const lb = new Maglev(hosts)
  const tries = [0, 1, 2, 3, 4, 5].map((attempt) => lb.lookup('key', attempt))
  expect(new Set(tries)).toEqual(new Set(hosts))
  expect(tries).toEqual(lb.replicas('key', 6))
  expect(lb.lookup('key', 6)).toBeUndefined()
  expect(() => lb.lookup('key', -1)).toThrow(MaglevError)
})

test('replicas are distinct and available, the owner first, and keep their order while others fail', () => {
  const ids = Array.from({ length: 12 }, (_, i) => `b${i}`)
  const lb = new Maglev(ids, { tableSize: 1009 })
  for (let key = 0; key < 200; key++) {
    const full = lb.replicas(`key${key}`, 12)
    expect(new Set(full)).toEqual(new Set(ids))
    expect(full[0]).toBe(lb.lookup(`key${key}`))
    const failing = full[3] ?? ''
    lb.setHealth(failing, 'unhealthy')
    expect(lb.replicas(`key${key}`, 12)).toEqual(full.filter((id) => id !== failing))
    lb.setHealth(failing, 'healthy')
  }
})

test('asking for more than there are does not walk the table', () => {
  const lb = new Maglev(['a', 'b', { id: 'none', weight: 0 }, 'down'], { tableSize: 5_000_011 })
  lb.setHealth('down', 'unhealthy')
  // Of whole walks, a hundred would not end before the test is stopped.
  for (let key = 0; key < 1000; key++) {
    expect(lb.replicas(key, 4)).toHaveLength(2)
    expect(lb.lookup(key, 2)).toBeUndefined()
    expect(lb.explain(key).preference).toHaveLength(2)
  }
})

test('explain tells where a key belongs and why it is elsewhere', () => {
  const lb = new Maglev(['a', 'b', 'c'])
  const owner = lb.lookup('key') ?? ''
  expect(lb.explain('key')).toMatchObject({ owner, baseOwner: owner, reason: 'base' })
  lb.setHealth(owner, 'unhealthy')
  const moved = lb.explain('key')
  expect(moved).toMatchObject({ owner: lb.lookup('key'), baseOwner: owner, reason: 'reassigned' })
  expect(moved.preference).toEqual(lb.replicas('key', 16))
  expect(moved.hash).toMatch(/^[0-9a-f]{16}$/)
})

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')
const changes: fc.Arbitrary<Change> = fc.record({
  add: fc.uniqueArray(fc.constantFrom('h', 'i', 'j')),
  remove: fc.uniqueArray(fc.constantFrom('a', 'b')),
  weight: fc.dictionary(fc.constantFrom('c', 'd'), fc.constantFrom(0, 0.5, 3)),
  health: fc.dictionary(fc.constantFrom('e', 'f'), fc.constantFrom('unhealthy', 'healthy', 'degraded')),
})

test('a plan is the difference of the tables before and after it', () => {
  const mode = fc.constantFrom('stable', 'classic', 'envoy', 'cilium')
  fc.assert(
    fc.property(fc.uniqueArray(ids, { minLength: 7 }), mode, changes, (backends, kind, change) => {
      fc.pre(kind !== 'cilium' || Object.values(change.weight ?? {}).every(Number.isInteger))
      const lb = new Maglev(backends, { tableSize: 251, mode: kind })
      const named = (): (string | undefined)[] => {
        const listed = lb.backends
        return Array.from(lb.owners(), (owner) => listed[owner]?.id)
      }
      const before = named()
      const plan = lb.plan(change)
      expect(named()).toEqual(before)
      plan.apply()
      const after = named()
      expect(plan.changed).toBe(before.filter((id, slot) => id !== after[slot]).length)
      expect(plan.collateral).toBe(plan.changed - plan.ideal)
      expect(plan.collateral).toBeGreaterThanOrEqual(0)
      let ideal = 0
      for (const [id, move] of plan.byBackend) {
        expect(move.before).toBe(before.filter((owner) => owner === id).length)
        expect(move.after).toBe(after.filter((owner) => owner === id).length)
        expect(move.gained - move.lost).toBe(move.after - move.before)
        ideal += Math.max(0, move.before - move.after)
      }
      expect(plan.ideal).toBe(ideal)
    }),
    { numRuns: 500 },
  )
})

test('slots that had no owner, or lose it, are moves that nobody can avoid', () => {
  const all = { changed: 65_537, ideal: 65_537, collateral: 0 }
  expect(new Maglev([]).plan({ add: ['a', 'b'] })).toMatchObject(all)
  expect(new Maglev(['a', 'b']).plan({ remove: ['a', 'b'] })).toMatchObject(all)
})

test('a failure has no collateral', () => {
  const lb = new Maglev(Array.from({ length: 50 }, (_, i) => `b${i}`))
  const plan = lb.plan({ health: { b7: 'unhealthy', b8: 'disabled' } })
  expect(plan.collateral).toBe(0)
  expect(plan.changed).toBe(plan.ideal)
  expect(plan.changed).toBeGreaterThan(0)
})

test('a plan that is out of date cannot be applied', () => {
  const lb = new Maglev(['a', 'b'])
  const plan = lb.plan({ add: ['c'] })
  lb.setWeight('a', 2)
  expect(() => plan.apply()).toThrow(expect.objectContaining({ code: 'STALE_PLAN' }))
  const fresh = lb.plan({ add: ['c'] })
  fresh.apply()
  expect(() => fresh.apply()).toThrow(expect.objectContaining({ code: 'STALE_PLAN' }))
})

test('a change that is wrong in part changes nothing', () => {
  const lb = new Maglev(['a', 'b'])
  const { fingerprint, backends } = lb
  for (const [change, code] of [
    [{ remove: ['a'], add: ['b'] }, 'DUPLICATE_BACKEND'],
    [{ add: ['c'], remove: ['x'] }, 'UNKNOWN_BACKEND'],
    [{ weight: { a: 5, x: 1 } }, 'UNKNOWN_BACKEND'],
    [{ weight: { a: Number.NaN } }, 'INVALID_WEIGHT'],
    [{ health: { b: 'unhealthy', x: 'healthy' } }, 'UNKNOWN_BACKEND'],
  ] as const) {
    expect(() => lb.update(change)).toThrow(expect.objectContaining({ code }))
  }
  expect(lb.fingerprint).toBe(fingerprint)
  expect(lb.backends).toEqual(backends)
})

test.each([
  null,
  undefined,
  'a',
  { weights: { a: 2 } },
  { remove: 'a' },
  { add: 'c' },
  { add: { id: 'c' } },
  { weight: [['a', 2]] },
  { weight: new Map([['a', 2]]) },
  { health: null },
])('%j is no change', (wrong) => {
  const lb = new Maglev(['a', 'b'])
  const { fingerprint } = lb
  const refused = expect.objectContaining({ code: 'INVALID_OPTION' })
  for (const run of [() => lb.update(wrong as Change), () => lb.plan(wrong as Change)])
    expect(run).toThrow(refused)
  expect(() => lb.update({ add: ['c'] }, 'later' as 'sync')).toThrow(refused)
  expect(lb.fingerprint).toBe(fingerprint)
})

test.each([null, undefined, 5, 'key', {}])('%j is no list of keys', (wrong) => {
  expect(() => new Maglev(['a']).lookupMany(wrong as string[])).toThrow(
    expect.objectContaining({ code: 'INVALID_KEY' }),
  )
})

test.each([null, undefined, 5, '10.0.0.1:80', {}])('%j is no list of backends', (wrong) => {
  expect(() => new Maglev(wrong as string[])).toThrow(expect.objectContaining({ code: 'INVALID_BACKEND' }))
})

test('a removed id can come back in the same change', () => {
  const lb = new Maglev(['a', 'b'])
  lb.update({ remove: ['a'], add: [{ id: 'a', weight: 3 }] })
  expect(lb.backends.map(({ id, weight }) => [id, weight])).toEqual([
    ['b', 1],
    ['a', 3],
  ])
})

test('in slices: the old table answers until the new one is done, and newer changes replace a build under way', async () => {
  const scheduler = new ManualScheduler()
  const lb = new Maglev(['a', 'b', 'c'], { rebuild: 'sliced', scheduler })
  const rebuilds: RebuildEvent[] = []
  lb.on('rebuild', (event) => rebuilds.push(event))
  const { fingerprint } = lb
  lb.add('d')
  scheduler.runOne()
  scheduler.runOne()
  lb.add('e')
  lb.remove('d')
  expect(lb.fingerprint).toBe(fingerprint)
  expect(lb.backends.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  const settled = lb.settled()
  expect(scheduler.runAll()).toBeGreaterThan(3)
  await settled
  expect(rebuilds).toHaveLength(1)
  expect(lb.fingerprint).toBe(new Maglev(['a', 'b', 'c', 'e']).fingerprint)
  await lb.settled()
})

test('in slices: owners() points into backends, whatever is being built', () => {
  const scheduler = new ManualScheduler()
  const lb = new Maglev(['a', 'b', 'c'], { rebuild: 'sliced', scheduler })
  const ownerIds = (): (string | undefined)[] => {
    const { backends } = lb
    return Array.from(lb.owners(), (owner) => backends[owner]?.id)
  }
  const before = ownerIds()
  lb.update({ remove: ['a'], add: ['0'] })
  scheduler.runOne()
  expect(ownerIds()).toEqual(before)
  scheduler.runAll()
  const fresh = new Maglev(['0', 'b', 'c'])
  expect(ownerIds()).toEqual(Array.from(fresh.owners(), (owner) => fresh.backends[owner]?.id))
})

test('in slices: a plan applied meanwhile ends the build under way', async () => {
  const scheduler = new ManualScheduler()
  const lb = new Maglev(['a', 'b'], { rebuild: 'sliced', scheduler })
  lb.add('c')
  scheduler.runOne()
  const settled = lb.settled()
  lb.plan({ add: ['d'] }).apply()
  await settled
  scheduler.runAll()
  expect(lb.fingerprint).toBe(new Maglev(['a', 'b', 'c', 'd']).fingerprint)
})

test('in slices: other threads have the old table until the new one is whole, whatever was given up half-written', () => {
  const scheduler = new ManualScheduler()
  const lb = new Maglev(['a', 'b', 'c'], { shared: true, rebuild: 'sliced', scheduler, tableSize: 131_071 })
  const reader = attach(lb.share())
  const keys = Array.from({ length: 500 }, (_, i) => `key${i}`)
  const versions: number[] = []
  // Each change but the last few ends the build of the one before, each after one slice more.
  for (let slices = 0; slices < 40; slices++) {
    lb.setHealth('a', slices % 2 === 0 ? 'unhealthy' : 'healthy')
    for (let i = 0; i < slices; i++) {
      scheduler.runOne()
      expect(reader.lookupMany(keys)).toEqual(lb.lookupMany(keys))
    }
    versions.push(reader.version)
  }
  // 131,071 slots take eight slices to write, though this build itself takes fewer.
  expect(versions.indexOf(2)).toBeGreaterThanOrEqual(8)
  expect(versions.at(-1)).toBeGreaterThan(3)
})

test('in slices: a reader that is overtaken while it reads begins again', () => {
  const scheduler = new ManualScheduler()
  const options = { shared: true, rebuild: 'sliced', scheduler, tableSize: 131_071 } as const
  const lb = new Maglev(['a', 'b', 'c'], options)
  const change = { remove: ['a'], add: ['z'] }
  lb.plan({ health: { b: 'unhealthy' } }).apply()
  lb.update(change)
  const slices = scheduler.runAll()

  const overtaken = new Maglev(['a', 'b', 'c'], options)
  const { control, ...handle } = overtaken.share()
  let looks = 0
  const reader = attach({
    ...handle,
    // The second look comes after the version to read was chosen: then one table more is published, and all but the end of
    // another, whose place is where the reader reads.
    get control() {
      if (++looks === 2) {
        overtaken.plan({ health: { b: 'unhealthy' } }).apply()
        overtaken.update(change)
        for (let slice = 1; slice < slices; slice++) scheduler.runOne()
      }
      return control
    },
  })
  const keys = Array.from({ length: 500 }, (_, i) => `key${i}`)
  expect(reader.lookupMany(keys)).toEqual(overtaken.lookupMany(keys))
  expect(reader.version).toBe(2)
  scheduler.runAll()
  expect(reader.version).toBe(3)
  expect(reader.lookupMany(keys)).toEqual(overtaken.lookupMany(keys))
})

test('in slices: a change made by who hears of the last one is built too', async () => {
  const scheduler = new ManualScheduler()
  const lb = new Maglev(['a', 'b'], { rebuild: 'sliced', scheduler })
  const stop = lb.on('rebuild', () => {
    stop()
    lb.add('d')
  })
  lb.add('c')
  const settled = lb.settled()
  scheduler.runAll()
  await settled
  expect(lb.fingerprint).toBe(new Maglev(['a', 'b', 'c', 'd']).fingerprint)
})

test('in slices: a build that fails leaves the table in force, rejects settled and is an event', async () => {
  const scheduler = new ManualScheduler()
  const wide = { id: 'a', hash: 292_989n, weight: 100 }
  const lb = new Maglev([wide], { mode: 'katran-v2', tableSize: 131_071, rebuild: 'sliced', scheduler })
  const errors: unknown[] = []
  lb.on('error', ({ error }) => errors.push(error))
  lb.add({ id: 'b', hash: 1n })
  const settled = lb.settled().catch((error: unknown) => error)
  scheduler.runAll()
  expect(await settled).toMatchObject({ code: 'UNFILLABLE_TABLE' })
  expect(errors).toHaveLength(1)
  expect(lb.lookup('key')).toBe('a')
})

test('events go to listeners and to the diagnostics channels', () => {
  const lb = new Maglev(['a', 'b', 'c'])
  const heard: HealthEvent[] = []
  const published: unknown[] = []
  const record = (message: unknown): void => {
    published.push(message)
  }
  subscribe('loadbearing:maglev:rebuild', record)
  const stop = lb.on('health', (event) => heard.push(event))
  lb.setHealth('b', 'degraded')
  lb.setHealth('b', 'unhealthy')
  stop()
  lb.setHealth('b', 'healthy')
  unsubscribe('loadbearing:maglev:rebuild', record)
  lb.setHealth('b', 'ejected')
  expect(heard.map(({ id, from, to }) => [id, from, to])).toEqual([
    ['b', 'healthy', 'degraded'],
    ['b', 'degraded', 'unhealthy'],
  ])
  expect(published).toHaveLength(3)
  expect(published[0]).toMatchObject({ changed: 0, available: 3 })
  expect(published[1]).toMatchObject({ backends: 3, available: 2, tableSize: 65_537 })
})

test('errors are known by their guard, also those of another copy', () => {
  const foreign = Object.defineProperty(new Error('x'), Symbol.for('loadbearing:maglev:error'), {
    value: true,
  })
  expect(isMaglevError(new MaglevError('NO_BACKEND', 'x'))).toBe(true)
  expect(isMaglevError(foreign)).toBe(true)
  expect(isMaglevError(new Error('x'))).toBe(false)
  expect(isMaglevError({ code: 'NO_BACKEND' })).toBe(false)
})
