import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { Breaker } from '@loadbearing/hystrix-breaker'
import {
  bulkhead,
  circuitBreaker,
  handleAll,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel'
import { Pool } from 'undici'

/** Requests a second through undici, 64 at once, with each breaker around them. */
export interface HttpRate {
  readonly subject: string
  readonly perSecond: number
}

type Guard = (work: () => Promise<number>) => Promise<number>

const atOnce = 64

if (process.argv[2] === 'serve') serve()

/** The median of `rounds` of `roundMs` each, subjects in turn, against a server in a process of its own. */
export async function httpRates(rounds: number, roundMs: number): Promise<HttpRate[]> {
  const server = fork(new URL(import.meta.url), ['serve'])
  const [port] = await once(server, 'message')
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: atOnce })
  const request = async (): Promise<number> => {
    const { statusCode, body } = await pool.request({ path: '/', method: 'GET' })
    await body.dump()
    return statusCode
  }
  const rates = new Map<string, number[]>()
  const guards = Object.entries(makeGuards())
  for (const [, guard] of guards) await rate(guard, request, roundMs / 2)
  for (let round = 0; round < rounds; round++) {
    for (const [subject, guard] of guards) {
      const of = rates.get(subject) ?? []
      rates.set(subject, of)
      of.push(await rate(guard, request, roundMs))
    }
  }
  await pool.close()
  server.kill()
  return [...rates].map(([subject, of]) => ({
    subject,
    perSecond: of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? Number.NaN,
  }))
}

function makeGuards(): Readonly<Record<string, Guard>> {
  const own = new Breaker({ timeout: '10s', bulkhead: { max: 100 } })
  const breaker = new SamplingBreaker({ threshold: 0.5, duration: 10_000 })
  const policy = wrap(
    circuitBreaker(handleAll, { halfOpenAfter: 5000, breaker }),
    timeout(10_000, TimeoutStrategy.Aggressive),
    bulkhead(100, 100),
  )
  const Opossum: new (action: (work: () => Promise<number>) => Promise<number>) => { fire: Guard } =
    createRequire(import.meta.url)('opossum')
  const opossum = new Opossum((work) => work())
  return {
    'no breaker': (work) => work(),
    ours: (work) => own.execute(work),
    'cockatiel, wrap': (work) => policy.execute(work),
    'opossum, defaults': (work) => opossum.fire(work),
  }
}

async function rate(guard: Guard, request: () => Promise<number>, ms: number): Promise<number> {
  const start = performance.now()
  let done = 0
  const caller = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      if ((await guard(request)) !== 200) throw new Error('not 200')
      done++
    }
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  return (done * 1000) / (performance.now() - start)
}

function serve(): void {
  const server = createServer((_, response) => response.end('ok'))
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address !== null && typeof address === 'object') process.send?.(address.port)
  })
  process.on('disconnect', () => process.exit())
}
