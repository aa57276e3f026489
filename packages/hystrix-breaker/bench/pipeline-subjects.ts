import type { Prepared } from '@loadbearing/harness/bench'
import {
  bulkhead,
  circuitBreaker,
  exponential,
  hedge,
  type Pipeline,
  pipeline,
  retry,
  timeout,
} from '@loadbearing/hystrix-breaker'
import {
  ExponentialBackoff,
  handleAll,
  type IPolicy,
  SamplingBreaker,
  TimeoutStrategy,
  bulkhead as theirBulkhead,
  circuitBreaker as theirCircuitBreaker,
  retry as theirRetry,
  timeout as theirTimeout,
  wrap,
} from 'cockatiel'

type Subject = Prepared<number, Promise<number>>

const work = (): Promise<number> => Promise.resolve(1)

/** Reads its signal, as fetch would. */
const heedful = ({ signal }: { readonly signal: AbortSignal }): Promise<number> =>
  Promise.resolve(signal.aborted ? 0 : 1)

const failing = (): Promise<number> => Promise.reject(new Error('broken'))
const ofFailure = (): number => 0

function own(): Pipeline {
  return pipeline(
    retry({ attempts: 3, backoff: exponential({ jitter: 'full' }) }),
    circuitBreaker(),
    timeout('10s'),
    bulkhead({ max: 100, queue: 100 }),
  )
}

function theirs(): IPolicy {
  return wrap(
    theirRetry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
    theirCircuitBreaker(handleAll, {
      halfOpenAfter: 5000,
      breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
    }),
    theirTimeout(10_000, TimeoutStrategy.Aggressive),
    theirBulkhead(100, 100),
  )
}

export function oursPipeline(): Subject {
  const api = own()
  return { call: () => api.run(work) }
}

export function cockatielPipeline(): Subject {
  const policy = theirs()
  return { call: () => policy.execute(work) }
}

export function oursPipelineSignal(): Subject {
  const api = own()
  return { call: () => api.run(heedful) }
}

export function cockatielPipelineSignal(): Subject {
  const policy = theirs()
  return { call: () => policy.execute(heedful) }
}

/** A bulkhead and a time limit around work that always fails: the cost of a failure on its way out. */
export function oursPipelineFailing(): Subject {
  const api = pipeline(timeout('10s'), bulkhead({ max: 100, queue: 100 }))
  return { call: () => api.run(failing).catch(ofFailure) }
}

export function cockatielPipelineFailing(): Subject {
  const policy = wrap(theirTimeout(10_000, TimeoutStrategy.Aggressive), theirBulkhead(100, 100))
  return { call: () => policy.execute(failing).catch(ofFailure) }
}

/** With a hedge that is never due. cockatiel has none. */
export function oursPipelineHedged(): Subject {
  const api = pipeline(hedge({ delay: 'p95' }), circuitBreaker(), timeout('10s'))
  return { call: () => api.run(work) }
}
