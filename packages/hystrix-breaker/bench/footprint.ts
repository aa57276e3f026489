import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { Breaker } from '@loadbearing/hystrix-breaker'
import { circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel'

/** Runs in a process of its own with --expose-gc, and writes one line of JSON. */

const subjects: Readonly<Record<string, (at: number) => unknown>> = {
  ours: (at) => new Breaker({ name: `idle ${at}` }),
  cockatiel: () =>
    circuitBreaker(handleAll, {
      halfOpenAfter: 5000,
      breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
    }),
  opossum: () => {
    const Opossum: new (action: () => number) => unknown = createRequire(import.meta.url)('opossum')
    return new Opossum(() => 1)
  },
}

const { positionals } = parseArgs({ allowPositionals: true })
const [what = 'idle', subject = 'ours', count = '10000'] = positionals
console.log(JSON.stringify(what === 'idle' ? await idle(subject, Number(count)) : await flat(Number(count))))
process.exit(0)

async function idle(name: string, many: number): Promise<object> {
  const make = subjects[name]
  if (make === undefined) throw new Error(`no ${name}`)
  make(0)
  const running = countTimers()
  const before = heap()
  const made = Array.from({ length: many }, (_, at) => make(at))
  const bytesEach = (heap() - before) / made.length
  const timers = running.size
  const cpu = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const { user, system } = process.cpuUsage(cpu)
  return { breakers: made.length, bytesEach, timers, cpuPercent: (user + system) / 20_000 }
}

// Those that hold no process alive as well, which Node does not tell of.
function countTimers(): ReadonlySet<unknown> {
  const running = new Set<unknown>()
  for (const kind of ['setTimeout', 'setInterval'] as const) {
    const counted = new Proxy(globalThis[kind], {
      apply(target, self, args) {
        const timer: unknown = Reflect.apply(target, self, args)
        running.add(timer)
        return timer
      },
    })
    Object.defineProperty(globalThis, kind, { value: counted })
  }
  return running
}

async function flat(calls: number): Promise<object> {
  const own = new Breaker({ timeout: '10s', bulkhead: { max: 100, queue: 100 } })
  const broken = new Error('broken')
  const quiet = (): void => {}
  const run = async (many: number): Promise<void> => {
    for (let call = 0; call < many; call++)
      await own.execute(() => (call % 10 === 0 ? Promise.reject(broken) : Promise.resolve(1))).catch(quiet)
  }
  await run(100_000)
  const before = heap()
  await run(calls)
  return { calls, grownBytes: heap() - before }
}

function heap(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
