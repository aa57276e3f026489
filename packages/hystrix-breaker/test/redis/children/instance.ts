import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Breaker } from '@loadbearing/hystrix-breaker'
import { redisShared } from '@loadbearing/hystrix-breaker/redis'
import { Redis } from 'ioredis'

// One process of a fleet: a breaker before one upstream, shared over Redis, and a caller that does not tire.
const [redisUrl = '', upstreamPort = '', sleepWindow = '2s', probeTimeout = '20s', timeout = '10s'] =
  process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 4 })
const client = new Redis(redisUrl)
client.on('error', () => {})
const breaker = new Breaker({
  name: 'upstream',
  volumeThreshold: 10,
  sleepWindow,
  timeout: '20s',
  probeTimeout,
})
const shared = redisShared(client, { quorum: 3, timeout })
const calls = { succeeded: 0, failed: 0, refused: 0 }
let changes = 0

function report(event: string, fields: object = {}): void {
  process.send?.({ event, at: performance.timeOrigin + performance.now(), ...fields })
}

breaker.on('stateChange', ({ to, reason }) => {
  changes++
  report(to, { reason })
})
for (const event of ['joined', 'lost', 'recovered'] as const) shared.on(event, () => report(event))
shared.join(breaker)

function ask({ signal }: { signal: AbortSignal }): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port: upstreamPort, agent, signal }, (response) => {
      response.resume().on('end', resolve).on('error', reject)
    })
    request.on('error', reject)
  })
}

async function callAlways(): Promise<void> {
  for (;;) {
    try {
      await breaker.execute(ask)
      calls.succeeded++
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'CIRCUIT_OPEN') calls.refused++
      else calls.failed++
    }
    await sleep(2)
  }
}

/** The 99th percentile of `count` calls that last one turn of the event loop each, in milliseconds. */
async function measure(count: number): Promise<number> {
  const idle = new Breaker({ name: `measured ${Math.random()}` })
  const leave = shared.join(idle)
  const took = new Float64Array(count)
  for (let index = 0; index < count; index++) {
    const before = performance.now()
    await idle.execute(() => new Promise(setImmediate))
    took[index] = performance.now() - before
  }
  await leave()
  return took.toSorted()[Math.floor(count * 0.99)] ?? Number.NaN
}

process.on('message', (message) => {
  if (message === 'call') void callAlways()
  else if (message === 'calls') report('calls', { ...calls, state: breaker.state, changes })
  else if (message === 'measure') void measure(50_000).then((p99) => report('measured', { p99 }))
})
console.log('ready')
