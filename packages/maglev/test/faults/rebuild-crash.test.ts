import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { attach, createPool, Maglev, type MaglevOptions, type Scheduler } from '../../src/index.ts'

// Fault 8 of the specification's section 6. Tables are built in slices on the thread that asks, not in a worker: what can die there is
// the scheduler, the memory, and what the table is for. Whatever it is, the old table answers and the next change builds anew.

const ids = Array.from({ length: 50 }, (_, n) => `10.0.0.${n}:80`)
const [one = '', two = '', three = ''] = ids
const keys = Array.from({ length: 2000 }, (_, n) => `key ${n}`)

/** Runs the slices one at a time, when told. A slice ends after every look at the clock. */
class HandScheduler implements Scheduler {
  readonly tasks: (() => void)[] = []
  #now = 0

  now(): number {
    return this.#now++
  }

  defer(task: () => void): void {
    this.tasks.push(task)
  }

  /** Whether there was one. */
  slice(): boolean {
    const task = this.tasks.shift()
    task?.()
    return task !== undefined
  }
}

function sliced(scheduler: Scheduler, options: MaglevOptions = {}): { maglev: Maglev; errors: unknown[] } {
  const maglev = new Maglev(ids, { rebuild: 'sliced', scheduler, ...options })
  const errors: unknown[] = []
  maglev.on('error', ({ error }) => errors.push(error))
  return { maglev, errors }
}

/** What the table must be when these are down, by a table that was never disturbed. */
function wanted(...down: string[]): (string | undefined)[] {
  const maglev = new Maglev(ids)
  maglev.update({ health: Object.fromEntries(down.map((id) => [id, 'unhealthy'])) })
  return maglev.lookupMany(keys)
}

const before = wanted()

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a scheduler', () => {
  test('that throws instead of deferring', async () => {
    const scheduler = new HandScheduler()
    const { maglev, errors } = sliced(scheduler)
    vi.spyOn(scheduler, 'defer').mockImplementationOnce(() => {
      throw new Error('no more tasks')
    })
    maglev.setHealth(one, 'unhealthy')
    expect(errors).toMatchObject([{ message: 'no more tasks' }])
    expect(maglev.lookupMany(keys)).toEqual(before)
    await maglev.settled()
    maglev.setHealth(two, 'unhealthy')
    while (scheduler.slice());
    expect(maglev.lookupMany(keys)).toEqual(wanted(one, two))
  })

  test('that throws in any slice, at any look at the clock', async () => {
    let slices = 0
    for (let failing = 0; failing <= slices; failing++) {
      const scheduler = new HandScheduler()
      const { maglev, errors } = sliced(scheduler)
      maglev.setHealth(one, 'unhealthy')
      for (let done = 0; done < failing; done++) scheduler.slice()
      if (scheduler.tasks.length === 0) break
      slices = failing + 1
      const settled = maglev.settled()
      vi.spyOn(scheduler, 'now').mockImplementationOnce(() => {
        throw new Error('no clock')
      })
      scheduler.slice()
      await expect(settled).rejects.toThrow('no clock')
      expect(errors).toHaveLength(1)
      expect(maglev.lookupMany(keys)).toEqual(before)
      maglev.setHealth(two, 'unhealthy')
      while (scheduler.slice());
      expect(maglev.lookupMany(keys)).toEqual(wanted(one, two))
    }
    // Each slice but the last was cut off once.
    expect(slices).toBeGreaterThan(10)
  })

  test('that loses its task', () => {
    const scheduler = new HandScheduler()
    const { maglev } = sliced(scheduler)
    maglev.setHealth(one, 'unhealthy')
    scheduler.slice()
    scheduler.tasks.length = 0
    expect(maglev.lookupMany(keys)).toEqual(before)
    maglev.setHealth(two, 'unhealthy')
    while (scheduler.slice());
    expect(maglev.lookupMany(keys)).toEqual(wanted(one, two))
  })

  test('that runs a task twice, and an old one after a newer one', () => {
    const scheduler = new HandScheduler()
    const { maglev, errors } = sliced(scheduler)
    maglev.setHealth(one, 'unhealthy')
    const [task] = scheduler.tasks
    for (let n = 0; scheduler.slice(); n++) {
      task?.()
      if (n === 3) maglev.setHealth(two, 'unhealthy')
      expect(scheduler.tasks.length).toBeLessThanOrEqual(2)
    }
    task?.()
    expect(errors).toEqual([])
    expect(maglev.lookupMany(keys)).toEqual(wanted(one, two))
  })
})

describe('a table, half built,', () => {
  test('is changed again, in slices or at once: the last change is in force, of the half one nothing is left', () => {
    for (const rebuild of ['sliced', 'sync'] as const) {
      const scheduler = new HandScheduler()
      const { maglev, errors } = sliced(scheduler)
      maglev.setHealth(one, 'unhealthy')
      for (let n = 0; n < 5; n++) expect(scheduler.slice()).toBe(true)
      expect(maglev.lookupMany(keys)).toEqual(before)
      maglev.update({ health: { [one]: 'healthy', [three]: 'unhealthy' } }, rebuild)
      expect(maglev.lookupMany(keys)).toEqual(rebuild === 'sync' ? wanted(three) : before)
      while (scheduler.slice());
      expect(maglev.lookupMany(keys)).toEqual(wanted(three))
      expect(errors).toEqual([])
    }
  })

  test('loses its pool: what the pool has said last comes into force all the same, and other pools can follow', async () => {
    const scheduler = new HandScheduler()
    const { maglev } = sliced(scheduler)
    const pool = createPool(maglev)
    pool.disable(one)
    const settled = pool.settled()
    for (let n = 0; n < 5; n++) scheduler.slice()
    await pool[Symbol.asyncDispose]()
    expect(maglev.lookupMany(keys)).toEqual(before)
    while (scheduler.slice());
    await settled
    expect(maglev.lookupMany(keys)).toEqual(wanted(one))
    await using other = createPool(maglev)
    expect(other.states().get(one)?.state).toBe('disabled')
  })

  test('and a pool that is closed with an update still gathered: the table gets it', async () => {
    const scheduler = new HandScheduler()
    const { maglev } = sliced(scheduler)
    const pool = createPool(maglev)
    pool.setWeight(two, 3)
    pool.setWeight(three, 2)
    await pool[Symbol.asyncDispose]()
    while (scheduler.slice());
    const weighed = new Maglev(ids)
    weighed.update({ weight: { [two]: 3, [three]: 2 } })
    expect(maglev.fingerprint).toBe(weighed.fingerprint)
  })
})

describe('memory that cannot be had', () => {
  const refuse = (): never => {
    throw new RangeError('Array buffer allocation failed')
  }

  test('for the slots of a table', async () => {
    const scheduler = new HandScheduler()
    const { maglev, errors } = sliced(scheduler)
    maglev.setHealth(one, 'unhealthy')
    const settled = maglev.settled()
    // A look-up copies no table; the build copies the base.
    vi.spyOn(Uint16Array.prototype, 'slice').mockImplementation(refuse)
    while (scheduler.slice());
    vi.restoreAllMocks()
    await expect(settled).rejects.toThrow(RangeError)
    expect(errors).toHaveLength(1)
    expect(maglev.lookupMany(keys)).toEqual(before)
    maglev.setHealth(two, 'unhealthy')
    while (scheduler.slice());
    expect(maglev.lookupMany(keys)).toEqual(wanted(one, two))
  })

  test.each(['sliced', 'sync'] as const)('for the ids of a shared table, %s', (rebuild) => {
    const scheduler = new HandScheduler()
    const { maglev, errors } = sliced(scheduler, { shared: true })
    const reader = attach(maglev.share())
    const change = { add: ['a backend with a long name'.repeat(100)] }
    vi.spyOn(SharedArrayBuffer.prototype, 'grow').mockImplementation(refuse)
    if (rebuild === 'sync') expect(() => maglev.update(change, rebuild)).toThrow(RangeError)
    else {
      maglev.update(change, rebuild)
      while (scheduler.slice());
      expect(errors).toMatchObject([{ message: 'Array buffer allocation failed' }])
    }
    vi.restoreAllMocks()
    expect(reader.lookupMany(keys)).toEqual(before)
    expect(maglev.lookupMany(keys)).toEqual(before)
    // A change that throws is not made; one that is under way in slices is still wanted.
    expect(maglev.configured.size).toBe(rebuild === 'sync' ? 50 : 51)
    maglev.setHealth(two, 'unhealthy')
    while (scheduler.slice());
    expect(reader.lookupMany(keys)).toEqual(maglev.lookupMany(keys))
    if (rebuild === 'sync') expect(maglev.lookupMany(keys)).toEqual(wanted(two))
  })
})

test('a worker that reads a shared table is killed in the middle: the writer and other readers go on', async () => {
  const maglev = new Maglev(ids, { shared: true })
  const reader = attach(maglev.share())
  for (let n = 0; n < 3; n++) {
    const worker = new Worker(new URL('./programs/reading.ts', import.meta.url), {
      workerData: maglev.share(),
      execArgv: ['--conditions=@loadbearing/source'],
    })
    await once(worker, 'message')
    for (let swap = 0; swap < 50; swap++) {
      if (swap === 25) void worker.terminate()
      maglev.setHealth(one, swap % 2 === 0 ? 'unhealthy' : 'healthy')
      expect(reader.lookupMany(keys)).toEqual(maglev.lookupMany(keys))
    }
    await worker.terminate()
  }
  expect(reader.lookupMany(keys)).toEqual(before)
})
