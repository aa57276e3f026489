import { type Simulation, simulate } from '@loadbearing/harness'
import { Breaker, type Clock } from '@loadbearing/hystrix-breaker'
import { RedisShared } from '@loadbearing/hystrix-breaker/redis'
import { describe, expect, test } from 'vitest'
import { fair, SimulatedRedis, type Weather } from './simulated-redis.ts'

const probeTimeout = 150
const members = ['a', 'b', 'c'] as const
type Name = (typeof members)[number]

interface Probe {
  readonly name: Name
  readonly since: number
  over: boolean
}

/** Three processes with a breaker each before one upstream, and callers that do not wait for each other. */
class Fleet {
  readonly redis: SimulatedRedis
  readonly breakers: readonly Breaker[]
  upstream: 'up' | 'down' = 'up'
  slowest = 20
  ended = false
  /** Begun while Redis answered and the fleet was open. */
  readonly probes: Probe[] = []
  readonly generations: Record<Name, number> = { a: 0, b: 0, c: 0 }
  readonly linked = new Set<Name>()
  readonly open = new Set<Name>()
  readonly #simulation: Simulation
  readonly #shared: readonly RedisShared[]
  // Kept, because what a call throws is the breaker's.
  readonly #faults: string[] = []
  readonly #callers: readonly PromiseLike<void>[]

  constructor(simulation: Simulation, quorum: number) {
    const { clock, spawn } = simulation
    this.#simulation = simulation
    this.redis = new SimulatedRedis(simulation)
    this.breakers = members.map(
      (_, index) =>
        new Breaker({
          name: 'upstream',
          window: { type: 'count', size: 4 },
          volumeThreshold: 2,
          sleepWindow: 200,
          timeout: 150,
          probeTimeout,
          clock: shifted(clock, index * 12_345),
        }),
    )
    this.#shared = this.breakers.map((breaker, index) => this.#join(breaker, members[index] ?? 'a', quorum))
    this.#callers = this.breakers.map((breaker, index) =>
      spawn(`calls of ${members[index]}`, () => this.#call(breaker, members[index] ?? 'a')),
    )
  }

  get states(): string[] {
    return this.breakers.map((breaker) => breaker.state)
  }

  /** What should not have been, up to the end of all timers. */
  async end(): Promise<readonly string[]> {
    this.ended = true
    await Promise.all(this.#shared.map((each) => each[Symbol.asyncDispose]()))
    await Promise.all(this.breakers.map((each) => each[Symbol.asyncDispose]()))
    await Promise.all(this.#callers)
    // What is still on its way arrives.
    await this.#simulation.clock.sleep(400)
    const { pending } = this.#simulation.clock
    return pending === 0 ? this.#faults : [...this.#faults, `${pending} timers are left`]
  }

  #join(breaker: Breaker, name: Name, quorum: number): RedisShared {
    const { clock } = this.#simulation
    const shared = new RedisShared(this.redis.client(name), { quorum, syncEvery: 50, timeout: 100, clock })
    const newer = ({ generation }: { generation: number }): void => {
      if (generation <= this.generations[name])
        this.#faults.push(`${name} went from ${this.generations[name]} to ${generation}`)
      this.generations[name] = generation
    }
    shared.on('openedByFleet', newer)
    shared.on('closedByFleet', newer)
    shared.on('openedByFleet', () => this.open.add(name))
    shared.on('closedByFleet', () => this.open.delete(name))
    shared.on('joined', () => this.linked.add(name))
    shared.on('recovered', () => this.linked.add(name))
    shared.on('lost', () => this.linked.delete(name))
    shared.join(breaker)
    return shared
  }

  async #call(breaker: Breaker, name: Name): Promise<void> {
    const { clock, random } = this.#simulation
    while (!this.ended) {
      await clock.sleep(random.integer(1, 40))
      await breaker.execute(() => this.#work(breaker, name)).catch(() => {})
    }
  }

  async #work(breaker: Breaker, name: Name): Promise<void> {
    const { clock, random } = this.#simulation
    const probe = this.#probeOf(breaker, name)
    await clock.sleep(random.integer(1, this.slowest))
    if (probe !== undefined) probe.over = true
    if (this.upstream === 'down') throw new Error('down')
  }

  #probeOf(breaker: Breaker, name: Name): Probe | undefined {
    if (breaker.state !== 'half-open' || !this.linked.has(name) || !this.open.has(name)) return undefined
    const since = this.#simulation.clock.monotonic()
    for (const each of this.probes) {
      if (each.over || since - each.since >= probeTimeout) continue
      this.#faults.push(`${name} probes at ${since}, ${each.name} since ${each.since}`)
    }
    const probe = { name, since, over: false }
    this.probes.push(probe)
    return probe
  }
}

// Each process has a monotonic clock of its own.
function shifted(clock: Clock, by: number): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + by,
    setTimeout: (callback, delay) => clock.setTimeout(callback, delay),
    clearTimeout: (handle) => clock.clearTimeout(handle),
  }
}

async function until({ clock }: Simulation, within: number, what: string, condition: () => boolean) {
  const end = clock.monotonic() + within
  while (!condition()) {
    if (clock.monotonic() > end) throw new Error(`not within ${within} ms: ${what}`)
    await clock.sleep(1)
  }
}

async function agree(simulation: Simulation, fleet: Fleet): Promise<void> {
  await until(simulation, 10_000, 'all closed and of one generation', () => {
    const { generation } = fleet.redis.model.record('hystrix:{upstream}')
    const known = members.every((name) => fleet.generations[name] === generation)
    return known && fleet.states.every((state) => state === 'closed')
  })
}

describe('a fleet in virtual time', () => {
  test('all open after the quorum, one probes, all close', async () => {
    await simulate({ runs: 100 }, async (simulation) => {
      const { clock } = simulation
      const fleet = new Fleet(simulation, 2)
      await until(simulation, 1000, 'all joined', () => fleet.linked.size === 3)
      fleet.upstream = 'down'
      await until(simulation, 1000, 'quorum', () => fleet.open.size > 0)
      await until(simulation, 10, 'all open', () => fleet.states.every((state) => state === 'open'))
      expect(fleet.probes).toEqual([])
      const { sent } = fleet.redis
      await clock.sleep(1000)
      // One each in 50 ms, and a few for each probe.
      expect(fleet.redis.sent - sent).toBeLessThan(150)
      // One wait of 200 ms and the length of a probe lie between two.
      expect(fleet.probes.length).toBeGreaterThanOrEqual(2)
      expect(fleet.probes.length).toBeLessThanOrEqual(5)
      fleet.upstream = 'up'
      const before = fleet.probes.length
      await agree(simulation, fleet)
      expect(fleet.probes.length - before).toBeLessThanOrEqual(2)
      expect(await fleet.end()).toEqual([])
    })
  })

  test('one member that fails alone opens alone', async () => {
    await simulate({ runs: 50 }, async (simulation) => {
      const fleet = new Fleet(simulation, 2)
      await until(simulation, 1000, 'all joined', () => fleet.linked.size === 3)
      const [alone, ...others] = fleet.breakers
      alone?.circuit.trip(alone.settings.clock.monotonic())
      await until(simulation, 2000, 'closed again by a probe of its own', () => alone?.state === 'closed')
      expect(others.map(({ state }) => state)).toEqual(['closed', 'closed'])
      expect(fleet.redis.model.record('hystrix:{upstream}').generation).toBe(0)
      expect(await fleet.end()).toEqual([])
    })
  })

  test('lost, late and doubled messages, lost data, flushed scripts, partitions: one lease, and all agree after', async () => {
    let probes = 0
    await simulate({ runs: 200 }, async (simulation) => {
      const { clock, random } = simulation
      const fleet = new Fleet(simulation, random.integer(1, 3))
      for (let turn = 0; turn < 30; turn++) {
        fleet.redis.weather = random.pick<Weather>([
          fair,
          { delay: 30, loss: 0.05, twice: 0.2, deaf: 0.5 },
          { delay: 90, loss: 0.3, twice: 0.1, deaf: 0.3 },
        ])
        fleet.upstream = random.pick(['up', 'down', 'down'])
        fleet.slowest = random.pick([20, 100, 300])
        fleet.redis.cutOff(random.pick(members), random.boolean(0.5))
        if (random.boolean(0.1)) fleet.redis.model.wipe()
        if (random.boolean(0.1)) fleet.redis.flushScripts()
        if (random.boolean(0.05)) random.pick(fleet.breakers).reset()
        await clock.sleep(random.integer(1, 300))
      }
      fleet.redis.weather = fair
      fleet.upstream = 'up'
      fleet.slowest = 20
      for (const name of members) fleet.redis.cutOff(name, false)
      await agree(simulation, fleet)
      probes += fleet.probes.length
      expect(await fleet.end()).toEqual([])
    })
    expect(probes).toBeGreaterThan(200)
  })
})
