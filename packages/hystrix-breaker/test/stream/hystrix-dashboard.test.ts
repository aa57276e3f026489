import { type DOMWindow, JSDOM, requestInterceptor, VirtualConsole } from 'jsdom'
import { describe, expect, test } from 'vitest'
import { hystrixStream, turbineStream } from '../../src/adapters/stream.ts'
import { Breaker, Registry } from '../../src/index.ts'
import { dashboardServer, dashboardWar, underscore } from './dashboard-war.ts'
import { StreamListener, served } from './served.ts'
import { steppedClock } from './stepped-clock.ts'

const war = dashboardWar()
const home = 'home' in war ? war.home : ''
const quick = { delay: 20 }

describe.skipIf('missing' in war)('the dashboard of Hystrix 1.5.18', () => {
  test('shows our circuit and its pool (item 10)', async () => {
    const registry = new Registry()
    const users = new Breaker({
      name: 'GetUser',
      volumeThreshold: 4,
      bulkhead: { max: 5, queue: 5 },
      clock: steppedClock(),
    })
    registry.add(users)
    registry.add(new Breaker({ name: 'quiet one', group: 'g' }))
    await using stream = await served(hystrixStream(registry, quick))
    await using dashboard = await Dashboard.open(`${stream.url}/hystrix.stream`)
    for (let n = 0; n < 3; n++) await users.execute(() => n)
    await dashboard.until(() => dashboard.tile('GetUser')?.success === '3')
    expect(dashboard.tile('GetUser')).toEqual({
      status: 'Circuit Closed',
      errorPercentage: '0.0',
      success: '3',
      failure: '0',
      shortCircuited: '0',
      rejected: '0',
      host: '0.3',
      cluster: '0.3',
      hosts: '1',
    })
    expect(dashboard.tile('quiet one')).toMatchObject({ status: 'Circuit Closed', success: '0' })
    expect(dashboard.pool('GetUser')).toMatchObject({
      poolSize: '5',
      queued: '0',
      executions: '3',
      host: '0.3',
    })
    expect(dashboard.pool('quiet one')).toBeUndefined()

    const failing = (): Promise<unknown> =>
      users.execute(() => Promise.reject(new Error('down'))).catch((error: unknown) => error)
    for (let n = 0; n < 4; n++) await failing()
    await dashboard.until(() => dashboard.tile('GetUser')?.status === 'Circuit Open')
    expect(dashboard.tile('GetUser')).toMatchObject({ success: '3', failure: '3', shortCircuited: '1' })

    users.force('forced-open')
    await dashboard.until(() => dashboard.tile('GetUser')?.status === 'Circuit Forced Open')
    users.force('forced-closed')
    await dashboard.until(() => dashboard.tile('GetUser')?.status?.startsWith('[ Forced Closed ]') === true)
    users.reset()
    await dashboard.until(() => dashboard.tile('GetUser')?.status === 'Circuit Closed')

    registry.delete('GetUser')
    await dashboard.until(
      () => dashboard.tile('GetUser') === undefined && dashboard.pool('GetUser') === undefined,
    )
    expect(dashboard.tile('quiet one')).toBeDefined()
    expect(dashboard.complaints).toEqual([])
  })

  test('shows an aggregation with the rates and hosts of all', async () => {
    const registries = [new Registry(), new Registry()]
    const peers = await Promise.all(registries.map((registry) => served(hystrixStream(registry, quick))))
    const breakers = registries.map((registry) => {
      // Its time stands still: the calls stay within its window, however long the page takes.
      const breaker = new Breaker({ name: 'GetUser', bulkhead: { max: 5, queue: 5 }, clock: steppedClock() })
      registry.add(breaker)
      return breaker
    })
    for (let n = 0; n < 20; n++) await Promise.all(breakers.map((breaker) => breaker.execute(() => n)))
    await using turbine = await served(
      turbineStream(
        peers.map(({ url }) => url),
        quick,
      ),
    )
    await using dashboard = await Dashboard.open(`${turbine.url}/turbine.stream`)
    await dashboard.until(() => dashboard.tile('GetUser')?.hosts === '2')
    expect(dashboard.tile('GetUser')).toMatchObject({
      status: 'Circuit Closed',
      success: '40',
      host: '2.0',
      cluster: '4.0',
    })
    await dashboard.until(() => dashboard.pool('GetUser')?.executions === '40')
    expect(dashboard.pool('GetUser')).toMatchObject({ poolSize: '10', host: '2.0', cluster: '4.0' })
    breakers[0]?.force('forced-open')
    await dashboard.until(() => dashboard.tile('GetUser')?.status !== 'Circuit Closed')
    expect(dashboard.complaints).toEqual([])
    for (const peer of peers) await peer[Symbol.asyncDispose]()
  })

  test.each(['rollingCountTimeout', 'latencyExecute', 'propertyValue_requestLogEnabled'])(
    'complains of a frame without %s: the test sees what it looks for',
    async (key) => {
      const registry = new Registry()
      registry.add(new Breaker({ name: 'a' }))
      await using stream = await served(hystrixStream(registry, quick))
      using client = await StreamListener.open(stream.url)
      const frame = { ...(await client.next('a')), [key]: null }
      await using broken = await served((_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' })
        response.write(`data: ${JSON.stringify(frame)}\n\n`)
      })
      await using dashboard = await Dashboard.open(broken.url)
      await dashboard.until(() => dashboard.complaints.length > 0)
      expect(dashboard.complaints[0]).toBe(`Failed preProcessData: Key Missing: ${key} for a`)
      expect(dashboard.tile('a')).toBeUndefined()
    },
  )
})

interface Rates {
  readonly host: string
  readonly cluster: string
  readonly hosts: string | undefined
}

interface Tile extends Rates {
  readonly status: string
  readonly errorPercentage: string
  readonly success: string
  readonly failure: string
  readonly shortCircuited: string
  readonly rejected: string
}

interface PoolTile {
  readonly host: string
  readonly cluster: string
  readonly poolSize: string | undefined
  readonly queued: string | undefined
  readonly executions: string | undefined
}

/** `monitor.html` of the war in jsdom, its streams read as a browser does. */
class Dashboard implements AsyncDisposable {
  readonly complaints: string[] = []
  readonly #dom: JSDOM
  readonly #waiting = new Set<() => void>()
  readonly #closed: (() => unknown)[]

  static async open(stream: string): Promise<Dashboard> {
    const server = await served(dashboardServer(home))
    const complaints: string[] = []
    const output = new VirtualConsole()
    const complain = (message: unknown): void => {
      complaints.push(message instanceof Error ? message.message : String(message))
    }
    output.on('log', complain).on('warn', complain).on('error', complain).on('jsdomError', complain)
    const page = `${server.url}/monitor/monitor.html?stream=${encodeURIComponent(stream)}&title=ours`
    const changed = new Set<() => void>()
    const streams: StreamListener[] = []
    const dom = await JSDOM.fromURL(page, {
      runScripts: 'dangerously',
      pretendToBeVisual: true,
      virtualConsole: output,
      resources: {
        interceptors: [
          requestInterceptor((request) => {
            if (new URL(request.url).hostname === '127.0.0.1') return undefined
            return new Response(underscore, { headers: { 'Content-Type': 'text/javascript' } })
          }),
        ],
      },
      beforeParse(window) {
        window['EventSource'] = eventSource(window, streams, changed)
      },
    })
    const dashboard = new Dashboard(dom, complaints, [
      () => {
        for (const each of streams) each[Symbol.dispose]()
      },
      () => server[Symbol.asyncDispose](),
    ])
    changed.add(() => dashboard.#wake())
    return dashboard
  }

  private constructor(dom: JSDOM, complaints: string[], closed: (() => unknown)[]) {
    this.#dom = dom
    this.complaints = complaints
    this.#closed = closed
  }

  tile(name: string): Tile | undefined {
    const tile = this.#tile('CIRCUIT', name)
    if (tile === undefined) return undefined
    const cells = [...tile.querySelectorAll('.tableRow .cell')].map((cell) => textOf(cell))
    return {
      status: textOf(tile.querySelector('.circuitStatus')),
      errorPercentage: textOf(tile.querySelector('.errorPercentage .value')),
      success: textOf(tile.querySelector('a.success')),
      failure: textOf(tile.querySelector('a.failure')),
      shortCircuited: textOf(tile.querySelector('a.shortCircuited')),
      rejected: textOf(tile.querySelector('a.rejected')),
      host: textOf(tile.querySelector('.ratePerSecondPerHost')),
      cluster: textOf(tile.querySelector('.ratePerSecond')),
      hosts: cells[cells.indexOf('Hosts') + 1],
    }
  }

  pool(name: string): PoolTile | undefined {
    const tile = this.#tile('THREAD_POOL', name)
    if (tile === undefined) return undefined
    const cells = [...tile.querySelectorAll('.tableRow .cell')].map((cell) => textOf(cell))
    const after = (head: string): string | undefined => cells[cells.indexOf(head) + 1]
    return {
      host: textOf(tile.querySelector('.ratePerSecondPerHost')),
      cluster: textOf(tile.querySelector('.ratePerSecond')),
      poolSize: after('Pool Size'),
      queued: after('Queued'),
      executions: after('Executions'),
    }
  }

  async until(found: () => boolean): Promise<void> {
    while (!found()) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve)
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closed) await close()
    this.#dom.window.close()
  }

  #tile(kind: string, name: string): Element | undefined {
    return this.#dom.window.document.getElementById(`${kind}_${name}_0`) ?? undefined
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

function textOf(element: Element | null): string {
  return (element?.textContent ?? '').replaceAll(/\s+/g, ' ').trim()
}

/** As much of EventSource as the page uses; jsdom has none. */
function eventSource(window: DOMWindow, streams: StreamListener[], changed: Set<() => void>): unknown {
  return class {
    addEventListener(kind: string, listener: (event: { data: string }) => void): void {
      if (kind === 'message') this.#listeners.push(listener)
    }

    readonly #listeners: ((event: { data: string }) => void)[] = []

    constructor(url: string) {
      void this.#read(new URL(url, window.location.href).href)
    }

    async #read(url: string): Promise<void> {
      const stream = await StreamListener.open(url)
      streams.push(stream)
      let read = 0
      await stream.until(({ texts, ended }) => {
        for (const data of texts.slice(read)) for (const listener of this.#listeners) listener({ data })
        read = texts.length
        for (const tell of changed) tell()
        return ended
      })
    }
  }
}
