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

/** The part of opossum's API that is called here; the package has no types of its own. */
interface Opossum {
  fire(): Promise<number>
  open(): void
}

const require = createRequire(import.meta.url)
const OpossumClass: new (
  action: () => Promise<number>,
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
