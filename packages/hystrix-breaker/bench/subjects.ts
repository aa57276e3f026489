import { createRequire } from 'node:module'
import type { Prepared } from '@loadbearing/harness/bench'
import { Breaker } from '@loadbearing/hystrix-breaker'
import {
  bulkhead,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel'
import { BreakerState, Bulkhead, Circuit, SlidingCountBreaker, Timeout } from 'mollitia'

/** The part of opossum's API that is called here; the package has no types of its own. */
interface Opossum {
  fire(work?: () => Promise<number>): Promise<number>
  open(): void
}

const require = createRequire(import.meta.url)
const OpossumClass: new (
  action: (work: () => Promise<number>) => Promise<number>,
  options?: Readonly<Record<string, number>>,
) => Opossum = require('opossum')

type Subject = Prepared<number, Promise<number>>

const work = (): Promise<number> => Promise.resolve(1)
const ofRefusal = (): number => 0

/** The floor. */
export function bare(): Subject {
  return { call: work }
}

export function ours(): Subject {
  const own = new Breaker({ timeout: false })
  return { call: () => own.execute(work) }
}

/** With the latency histogram that every breaker has, and a bulkhead. */
export function oursBulkhead(): Subject {
  const own = new Breaker({ timeout: false, bulkhead: { max: 100 } })
  return { call: () => own.execute(work) }
}

export function oursDefaults(): Subject {
  const own = new Breaker()
  return { call: () => own.execute(work) }
}

export function oursWhole(): Subject {
  const own = new Breaker({ timeout: '10s', bulkhead: { max: 100, queue: 100 } })
  return { call: () => own.execute(work) }
}

export function oursOpen(): Subject {
  const own = new Breaker()
  own.force('forced-open')
  return { call: () => own.execute(work).catch(ofRefusal) }
}

export function cockatielConsecutive(): Subject {
  const policy = circuitBreaker(handleAll, { halfOpenAfter: 5000, breaker: new ConsecutiveBreaker(5) })
  return { call: () => policy.execute(work) }
}

function cockatielPolicy(): ReturnType<typeof circuitBreaker> {
  return circuitBreaker(handleAll, {
    halfOpenAfter: 5000,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
  })
}

export function cockatielSampling(): Subject {
  const policy = cockatielPolicy()
  return { call: () => policy.execute(work) }
}

export function cockatielWrap(): Subject {
  const policy = wrap(cockatielPolicy(), timeout(10_000, TimeoutStrategy.Aggressive), bulkhead(100, 100))
  return { call: () => policy.execute(work) }
}

export function cockatielOpen(): Subject {
  const policy = cockatielPolicy()
  policy.isolate()
  return { call: () => policy.execute(work).catch(ofRefusal) }
}

export function opossum(): Subject {
  const own = new OpossumClass(work)
  return { call: () => own.fire() }
}

export function opossumOpen(): Subject {
  const own = new OpossumClass(work, { resetTimeout: 600_000 })
  own.open()
  return { call: () => own.fire().catch(ofRefusal) }
}

function mollitiaBreaker(): SlidingCountBreaker {
  return new SlidingCountBreaker({
    slidingWindowSize: 100,
    minimumNumberOfCalls: 100,
    failureRateThreshold: 50,
  })
}

function mollitiaCircuit(circuit: Circuit): Subject {
  return { call: () => circuit.execute<number>() }
}

export function mollitia(): Subject {
  return mollitiaCircuit(new Circuit({ func: work, options: { modules: [mollitiaBreaker()] } }))
}

export function mollitiaWhole(): Subject {
  const modules = [
    mollitiaBreaker(),
    new Timeout({ delay: 10_000 }),
    new Bulkhead({ concurrentSize: 100, queueSize: 100 }),
  ]
  return mollitiaCircuit(new Circuit({ func: work, options: { modules } }))
}

export function mollitiaOpen(): Subject {
  const breaker = new SlidingCountBreaker({ state: BreakerState.OPENED, openStateDelay: 600_000 })
  const circuit = new Circuit({ func: work, options: { modules: [breaker] } })
  return { call: () => circuit.execute<number>().catch(ofRefusal) }
}

// 64 calls of which each waits for the event loop once.
function atOnce(execute: (work: () => Promise<number>) => Promise<number>): Subject {
  const soon = (): Promise<number> =>
    new Promise((resolve) => {
      setImmediate(resolve, 1)
    })
  return {
    async call() {
      const answers = await Promise.all(Array.from({ length: 64 }, () => execute(soon)))
      return answers.length
    },
  }
}

export function bareAtOnce(): Subject {
  return atOnce((soon) => soon())
}

export function oursAtOnce(): Subject {
  const own = new Breaker({ timeout: '10s', bulkhead: { max: 100 } })
  return atOnce((soon) => own.execute(soon))
}

export function cockatielAtOnce(): Subject {
  const policy = cockatielPolicy()
  return atOnce((soon) => policy.execute(soon))
}

export function cockatielWrapAtOnce(): Subject {
  const policy = wrap(cockatielPolicy(), timeout(10_000, TimeoutStrategy.Aggressive), bulkhead(100, 100))
  return atOnce((soon) => policy.execute(soon))
}

export function opossumAtOnce(): Subject {
  const own = new OpossumClass((soon) => soon())
  return atOnce((soon) => own.fire(soon))
}
