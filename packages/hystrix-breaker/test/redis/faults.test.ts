import { connect, createServer, type Server, type Socket } from 'node:net'
import { eventually, tcpProxy } from '@loadbearing/harness/faults'
import { redis, type Service, skipWithout } from '@loadbearing/harness/services'
import { Breaker, type BreakerOptions } from '@loadbearing/hystrix-breaker'
import {
  RedisShared,
  type RedisSharedEvents,
  type RedisSharedOptions,
} from '@loadbearing/hystrix-breaker/redis'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

type EventName = keyof RedisSharedEvents
const eventNames: readonly EventName[] = ['joined', 'openedByFleet', 'closedByFleet', 'lost', 'recovered']

interface MemberOptions {
  readonly breaker?: BreakerOptions
  readonly shared?: Partial<RedisSharedOptions>
}

/** Of those whose Redis is to be given up; the others wait for theirs, however busy the machine. */
const impatient: MemberOptions = { shared: { timeout: 250 } }

/** A client, a breaker and what was told of it. */
class Instance implements AsyncDisposable {
  readonly client: Redis
  readonly breaker: Breaker
  readonly shared: RedisShared
  readonly events: EventName[] = []
  generation = 0

  constructor(url: string, { breaker, shared }: MemberOptions = {}) {
    this.client = new Redis(url, { retryStrategy: () => 20 })
    this.client.on('error', () => {})
    this.breaker = new Breaker({ name: 'upstream', volumeThreshold: 1, sleepWindow: 100, ...breaker })
    this.shared = new RedisShared(this.client, { quorum: 2, syncEvery: 50, timeout: '9s', ...shared })
    for (const name of eventNames) this.shared.on(name, () => this.events.push(name))
    for (const name of ['joined', 'recovered', 'openedByFleet', 'closedByFleet'] as const)
      this.shared.on(name, ({ generation }) => {
        this.generation = Math.max(this.generation, generation)
      })
    this.shared.join(this.breaker)
  }

  get state(): string {
    return this.breaker.state
  }

  async call(outcome: 'success' | 'failure'): Promise<string> {
    const work = async (): Promise<string> => {
      if (outcome === 'failure') throw new Error('down')
      return 'answered'
    }
    return this.breaker.execute(work).catch((error: unknown) => (error instanceof Error ? error.message : ''))
  }

  /** Failures until the circuit is open, whatever its window holds. */
  async fail(): Promise<void> {
    while (this.state === 'closed') await this.call('failure')
  }

  happened(name: EventName): Promise<unknown> {
    return eventually(() => this.events.includes(name), { what: `${name}, after ${this.events.join(', ')}` })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shared[Symbol.asyncDispose]()
    await this.breaker[Symbol.asyncDispose]()
    this.client.disconnect()
  }
}

/** What processes reach as their Redis: one server, then another. */
class Switch implements AsyncDisposable {
  target: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: string, server: Server) {
    this.target = target
    this.#server = server
    server.on('connection', (socket) => this.#forward(socket))
  }

  static async to(target: string): Promise<Switch> {
    const server = createServer()
    const made = new Switch(target, server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return made
  }

  get url(): string {
    const address = this.#server.address()
    return address !== null && typeof address === 'object' ? `redis://127.0.0.1:${address.port}` : ''
  }

  /** Connections are cut; the next ones reach `target`. */
  turn(target: string): void {
    this.target = target
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.turn(this.target)
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #forward(socket: Socket): void {
    const server = connect(Number(new URL(this.target).port), '127.0.0.1')
    for (const each of [socket, server]) {
      this.#sockets.add(each)
      each
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(each)
          socket.destroy()
          server.destroy()
        })
    }
    socket.pipe(server).pipe(socket)
  }
}

describe.skipIf(skipWithout('redis'))('a fleet whose Redis fails', () => {
  let server: Service
  let fleet: Instance[] = []

  beforeAll(async () => {
    server = await redis({ name: 'breaker-faults' })
  })
  beforeEach(async () => {
    await server.reset()
  })
  afterEach(async () => {
    await Promise.all(fleet.map((each) => each[Symbol.asyncDispose]()))
    fleet = []
  })
  afterAll(async () => {
    await server?.stop()
  })

  async function start(count: number, options?: MemberOptions, url = server.url): Promise<Instance[]> {
    const started = Array.from({ length: count }, () => new Instance(url, options))
    fleet.push(...started)
    await Promise.all(started.map((each) => each.happened('joined')))
    return started
  }

  async function open(members: readonly Instance[]): Promise<void> {
    await Promise.all(members.map((each) => each.fail()))
    await eventually(() => fleet.every(({ state }) => state === 'open'))
  }

  /** All call until all are closed. */
  async function recover(members: readonly Instance[] = fleet): Promise<void> {
    await eventually(async () => {
      await Promise.all(members.map((each) => each.call('success')))
      return members.every(({ state }) => state === 'closed')
    })
  }

  test('below the quorum one opens and closes alone; at the quorum all open', async () => {
    const [one, two, three] = await start(3)
    await one?.call('failure')
    expect(fleet.map(({ state }) => state)).toEqual(['open', 'closed', 'closed'])
    await recover()
    expect(two?.events).toEqual(['joined'])
    await open(fleet.slice(0, 2))
    await three?.happened('openedByFleet')
    await recover()
    await Promise.all(fleet.map((each) => each.happened('closedByFleet')))
    expect(new Set(fleet.map(({ generation }) => generation)).size).toBe(1)
  })

  test('many see failures, none of them enough: the sum of their windows opens all', async () => {
    const few: MemberOptions = { breaker: { volumeThreshold: 9 } }
    await start(3, few)
    await Promise.all(fleet.flatMap((each) => [each.call('failure'), each.call('failure')]))
    await Promise.all(fleet.flatMap((each) => [each.call('failure'), each.call('success')]))
    expect(fleet.map(({ state }) => state)).toEqual(['closed', 'closed', 'closed'])
    await eventually(() => fleet.every(({ state }) => state === 'open'))
    await recover()
  })

  test('one instance that fails all its many calls does not open the others', async () => {
    const [bad, ...others] = await start(3, { breaker: { volumeThreshold: 30 } })
    if (bad === undefined) throw new Error('none started')
    await Promise.all(others.flatMap((each) => Array.from({ length: 5 }, () => each.call('success'))))
    await Promise.all(Array.from({ length: 29 }, () => bad.call('failure')))
    // Its report has arrived, and those of the others.
    const reports = async (): Promise<number> => bad.client.hlen('hystrix:{upstream}:reports')
    await eventually(async () => (await reports()) === 3)
    await bad.call('failure')
    expect(bad.state).toBe('open')
    await eventually(() =>
      bad.client
        .hvals('hystrix:{upstream}:reports')
        .then((all) => all.some((each) => each.endsWith(' 1 0 0 0 0'))),
    )
    expect(others.map(({ state }) => state)).toEqual(['closed', 'closed'])
  })

  test('a race for the probe: one lease, each time', async () => {
    await start(8)
    let probes = 0
    for (const each of fleet) {
      each.breaker.on('stateChange', ({ to }) => {
        if (to === 'half-open') probes++
      })
    }
    for (let round = 1; round <= 10; round++) {
      await open(fleet.slice(0, 2))
      await recover()
      expect(probes).toBe(round)
    }
  })

  test('a failed probe keeps all open, longer each time', async () => {
    await start(3, { breaker: { sleepWindow: (attempt) => 60 * attempt } })
    const [one, , three] = fleet
    // What the script says of each opening: the time that is left of it would hang on when a member hears of it.
    const told: string[] = []
    const listener = one?.client.duplicate() ?? expect.unreachable()
    listener.on('error', () => {}).on('message', (_, message: string) => told.push(message))
    await listener.subscribe('hystrix:circuits')
    const waits = (): number[] =>
      told.flatMap((message) => {
        const [, , state, wait] = message.split(' ')
        return state === 'open' ? [Number(wait)] : []
      })
    await open(fleet.slice(0, 2))
    await eventually(async () => {
      await Promise.all(fleet.map((each) => each.call('failure')))
      return waits().length >= 4
    })
    expect(waits().slice(0, 4)).toEqual([60, 120, 180, 240])
    await eventually(() => (three?.events.filter((each) => each === 'openedByFleet').length ?? 0) > 1)
    listener.disconnect()
    await recover()
  })

  test('the holder of the lease dies: another one probes when it has run out', async () => {
    await start(2, { breaker: { probeTimeout: 200 } })
    await open(fleet)
    const hangs = (): Promise<never> => new Promise(() => {})
    const holder = await eventually(() => {
      for (const { breaker } of fleet) void breaker.execute(hangs).catch(() => {})
      return fleet.find(({ state }) => state === 'half-open')
    })
    // As a process that is gone: its connection is cut and it sends nothing more.
    holder.client.disconnect()
    const others = fleet.filter((each) => each !== holder)
    await recover(others)
    await Promise.all(others.map((each) => each.happened('closedByFleet')))
    expect(others.map(({ state }) => state)).toEqual(['closed'])
  })

  test('down from the start: each decides alone; joined when it comes, and the fleet takes over', async () => {
    await server.kill()
    fleet.push(new Instance(server.url, impatient), new Instance(server.url, impatient))
    await Promise.all(fleet.map((each) => each.happened('lost')))
    const [one, two] = fleet
    await one?.call('failure')
    expect(fleet.map(({ state }) => state)).toEqual(['open', 'closed'])
    await recover()
    await server.restart()
    await Promise.all(fleet.map((each) => each.happened('joined')))
    await Promise.all([one?.fail(), two?.fail()])
    await Promise.all(fleet.map((each) => each.happened('openedByFleet')))
    await recover()
  })

  test('lost while open: each probes alone; found again, what they found closes the fleet', async () => {
    await start(3, impatient)
    await open(fleet.slice(0, 2))
    await server.kill()
    await Promise.all(fleet.map((each) => each.happened('lost')))
    await recover()
    await server.restart()
    await Promise.all(fleet.map((each) => each.happened('recovered')))
    await Promise.all(fleet.map((each) => each.happened('closedByFleet')))
    expect(fleet.map(({ state }) => state)).toEqual(['closed', 'closed', 'closed'])
  })

  test('restarted without its data: the record comes back, of the same generation', async () => {
    await start(3, { breaker: { sleepWindow: '1h' } })
    await open(fleet.slice(0, 2))
    await eventually(() => new Set(fleet.map(({ generation }) => generation)).size === 1)
    const before = fleet[0]?.generation
    await server.reset()
    await eventually(async () => (await fleet[0]?.client.exists('hystrix:{upstream}')) === 1)
    const late = await start(1, { breaker: { sleepWindow: '1h' } })
    await late[0]?.happened('openedByFleet')
    expect(late[0]?.generation).toBe(before)
    // An operator closes it on one, for all.
    fleet[1]?.breaker.reset()
    await eventually(() => fleet.every(({ state }) => state === 'closed'))
  })

  test('scripts flushed: nothing is noticed', async () => {
    await start(2)
    await fleet[0]?.client.script('FLUSH')
    await open(fleet)
    await fleet[0]?.client.script('FLUSH')
    await recover()
    expect(fleet.flatMap(({ events }) => events)).not.toContain('lost')
  })

  test('slow: local, and together again when it is fast', async () => {
    await using proxy = await tcpProxy({ target: server.url })
    const [one = expect.unreachable()] = await start(2, impatient, proxy.url)
    proxy.latency('400ms')
    await Promise.all(fleet.map((each) => each.happened('lost')))
    const redisFirst = one.client.ping()
    expect(await Promise.race([redisFirst, one.call('failure')])).not.toBe('PONG')
    await recover()
    await proxy.heal()
    await Promise.all(fleet.map((each) => each.happened('recovered')))
    expect(fleet[1]?.events).not.toContain('openedByFleet')
  })

  test('paused: votes that lay in its socket are too late to open anything', async () => {
    // Nothing but the votes is on its way.
    await start(2, { shared: { ...impatient.shared, syncEvery: '10s' } })
    await server.pause()
    await Promise.all(fleet.map((each) => each.call('failure')))
    expect(fleet.map(({ state }) => state)).toEqual(['open', 'open'])
    await Promise.all(fleet.map((each) => each.happened('lost')))
    await recover()
    await server.resume()
    await Promise.all(fleet.map((each) => each.happened('recovered')))
    // What they tell now has arrived: windows without a vote.
    const reports = async (): Promise<string[]> =>
      (await fleet[0]?.client.hvals('hystrix:{upstream}:reports')) ?? []
    await eventually(async () => (await reports()).every((each) => !each.includes(' 1 0 0 0 0')))
    expect(await fleet[0]?.client.exists('hystrix:{upstream}')).toBe(0)
    expect(fleet.flatMap(({ events }) => events)).not.toContain('openedByFleet')
    expect(fleet.map(({ state }) => state)).toEqual(['closed', 'closed'])
  })

  test('messages lost: the next exchange brings what they said', async () => {
    await start(3)
    const deaf = fleet[2]
    await deaf?.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await open(fleet.slice(0, 2))
    await deaf?.happened('openedByFleet')
    expect(deaf?.state).toBe('open')
    await recover()
  })

  test('split brain: each side goes on by itself; joined, the later generation holds for all', async () => {
    await using other = await redis({ name: 'breaker-faults-other' })
    await using ours = await Switch.to(server.url)
    await using theirs = await Switch.to(server.url)
    const here = await start(2, { breaker: { sleepWindow: '1h' } }, ours.url)
    const there = await start(2, { breaker: { sleepWindow: '1h' } }, theirs.url)
    // A replica that was made a master of its own.
    theirs.turn(other.url)
    const { port } = new URL(other.url)
    for (const { client } of there)
      await eventually(async () => (await client.info('server')).includes(`tcp_port:${port}\r`))
    await Promise.all(there.map((each) => each.call('failure')))
    await Promise.all(there.map((each) => each.happened('openedByFleet')))
    // More changes there, but earlier ones: what is later counts, not what is more.
    there[1]?.breaker.reset()
    await Promise.all(there.map((each) => each.happened('closedByFleet')))
    await Promise.all(there.map((each) => each.fail()))
    await eventually(() => there.every(({ events }) => events.at(-1) === 'openedByFleet'))
    expect(here.map(({ state }) => state)).toEqual(['closed', 'closed'])
    await Promise.all(here.map((each) => each.call('failure')))
    await Promise.all(here.map((each) => each.happened('openedByFleet')))
    here[0]?.breaker.reset()
    await Promise.all(here.map((each) => each.happened('closedByFleet')))
    const latest = here[0]?.generation
    theirs.turn(server.url)
    await eventually(() =>
      fleet.every(({ state, generation }) => state === 'closed' && generation === latest),
    )
  })

  test.each([
    ['quotes', `a"b'c`],
    ['lines', 'a\nb\r\n*3'],
    ['braces', '}{a}{}'],
    ['10 KB', 'x'.repeat(10_240)],
    ['a prototype', '__proto__'],
    ['half a pair', '\ud800'],
    ['nothing', ''],
    ['a space', 'a b'],
    ['a colon', 'a:reports'],
  ])('names with %s share a circuit, with no other', async (_, name) => {
    await start(2, { breaker: { name } })
    await start(2, { breaker: { name: `${name}\udfff` } })
    await Promise.all(fleet.slice(0, 2).map((each) => each.call('failure')))
    await Promise.all(fleet.slice(0, 2).map((each) => each.happened('openedByFleet')))
    await recover(fleet.slice(0, 2))
    expect(fleet.slice(2).map(({ events }) => events)).toEqual([['joined'], ['joined']])
  })

  test('leaving takes vote and lease back and leaves no connection', async () => {
    const [one, two] = await start(2)
    await one?.call('failure')
    const votes = async (): Promise<number> => (await two?.client.hlen('hystrix:{upstream}:reports')) ?? -1
    await eventually(async () => (await votes()) === 1)
    await one?.shared[Symbol.asyncDispose]()
    expect(await votes()).toBe(0)
    await one?.client.quit()
    // One command connection and one that listens, of the other one.
    await eventually(
      async () =>
        String(await two?.client.client('LIST'))
          .trim()
          .split('\n').length === 2,
    )
    await eventually(async () => {
      await one?.call('success')
      return one?.state === 'closed'
    })
  })

  test('an endless stream of strange messages is passed over', async () => {
    const [one] = await start(1)
    const strange = [
      '',
      'upstream',
      'upstream 9 open',
      'upstream x open 1 1',
      'upstream 9007199254740993 open 1 1',
    ]
    const more = [
      'upstream 5 half-open 1 1',
      'upstream 5 open -1 1',
      'upstream 5 open 1 1 1',
      '__proto__ 5 open 1 1',
    ]
    for (const message of [...strange, ...more]) await one?.client.publish('hystrix:circuits', message)
    await one?.client.publish('hystrix:circuits', 'upstream 5 open 60000 1')
    await one?.happened('openedByFleet')
    expect(one?.generation).toBe(5)
    expect(one?.events).toEqual(['joined', 'openedByFleet'])
  })
})
