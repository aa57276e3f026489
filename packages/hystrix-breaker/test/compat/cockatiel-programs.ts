import fc from 'fast-check'
import { vi } from 'vitest'
import type { Library } from './cockatiel-libraries.ts'

class Handled extends Error {}

export type Ending = 'success' | 'failure' | 'error'

/** How a call of a program ended: what the caller got, and when. */
export type Trace = readonly string[]

export type BreakerKind =
  | { readonly type: 'consecutive'; readonly threshold: number }
  | { readonly type: 'count'; readonly threshold: number; readonly size: number; readonly minimum: number }
  | { readonly type: 'sampling'; readonly threshold: number; readonly minimumRps: number }

export interface CircuitProgram {
  readonly breaker: BreakerKind
  readonly halfOpenAfter: number | readonly number[]
  readonly sampling: { readonly calls: number; readonly threshold: number } | undefined
  /** Each burst is of calls that begin at once and end after `takes`; then time goes on by `wait`, a second or two. */
  readonly bursts: readonly {
    readonly endings: readonly Ending[]
    readonly takes: number
    readonly isolated: boolean
  }[]
}

const ending: fc.Arbitrary<Ending> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Ending>('failure') },
  { weight: 5, arbitrary: fc.constant<Ending>('success') },
  { weight: 1, arbitrary: fc.constant<Ending>('error') },
)

// Of shares whose products with whole numbers are exact: that cockatiel's are not is shown elsewhere.
const share = fc.constantFrom(0.25, 0.5, 0.75)

export const breakerKind: fc.Arbitrary<BreakerKind> = fc.oneof(
  fc.record({ type: fc.constant('consecutive' as const), threshold: fc.integer({ min: 1, max: 4 }) }),
  fc
    .record({ size: fc.integer({ min: 1, max: 8 }), threshold: share, least: fc.integer({ min: 1, max: 8 }) })
    .map(({ size, threshold, least }) => ({
      type: 'count' as const,
      size,
      threshold,
      minimum: Math.min(size, least),
    })),
  fc.record({
    type: fc.constant('sampling' as const),
    threshold: share,
    minimumRps: fc.constantFrom(0.2, 1, 2),
  }),
)

export const circuitProgram: fc.Arbitrary<CircuitProgram> = fc
  .record({
    breaker: breakerKind,
    halfOpenAfter: fc.oneof(
      fc.constantFrom(0, 1000, 2500),
      fc.array(fc.constantFrom(0, 1000, 2000, 3500), { minLength: 1, maxLength: 3 }),
    ),
    sampling: fc.option(
      fc.record({ calls: fc.integer({ min: 1, max: 5 }), threshold: fc.constantFrom(0, 0.25, 0.5, 0.75) }),
      { nil: undefined },
    ),
    bursts: fc.array(
      fc.record({
        endings: fc.array(ending, { minLength: 1, maxLength: 6 }),
        takes: fc.constantFrom(0, 7, 400),
        isolated: fc.integer({ min: 0, max: 9 }).map((of10) => of10 === 0),
      }),
      { minLength: 1, maxLength: 14 },
    ),
  })
  .map((program) => (program.breaker.type === 'sampling' ? counted(program) : inTime(program)))

// A second in which nothing is counted is a gap, in which the windows of cockatiel do not go on; and they begin when a
// call ends, where ours begin with the second.
function counted(program: CircuitProgram): CircuitProgram {
  const bursts = program.bursts.map((burst) => ({
    ...burst,
    isolated: false,
    takes: 0,
    endings: burst.endings.map((each) => (each === 'error' ? 'success' : each)),
  }))
  return { ...program, bursts }
}

// After an isolation cockatiel goes on with what late calls have left in its breaker.
function inTime(program: CircuitProgram): CircuitProgram {
  if (program.bursts.every(({ isolated }) => !isolated)) return program
  const bursts = program.bursts.map((burst) => ({ ...burst, endings: burst.endings.slice(0, 1) }))
  return { ...program, bursts }
}

/** Runs `body` in virtual time that begins at 0. */
export async function inVirtualTime<T>(body: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ now: 0 })
  try {
    return await body()
  } finally {
    vi.useRealTimers()
  }
}

export function runCircuitProgram(library: Library, program: CircuitProgram): Promise<Trace> {
  const { circuitBreaker, handleType, IterableBackoff } = library
  return inVirtualTime(async () => {
    const trace: string[] = []
    const { halfOpenAfter } = program
    const policy = circuitBreaker(handleType(Handled), {
      breaker: makeBreaker(library, program.breaker),
      halfOpenAfter: typeof halfOpenAfter === 'number' ? halfOpenAfter : new IterableBackoff(halfOpenAfter),
      ...(program.sampling === undefined ? {} : { halfOpenSampling: program.sampling }),
    })
    policy.onBreak((reason) => trace.push(`break ${'isolated' in reason ? 'isolated' : 'error' in reason}`))
    policy.onReset(() => trace.push('reset'))
    policy.onHalfOpen(() => trace.push('half-open'))
    policy.onStateChange((state) => trace.push(`state ${state}`))
    // Between calls that end at once the order of these depends on how many promises a call has.
    let told: string[] = []
    policy.onSuccess(() => told.push('success'))
    policy.onFailure(({ handled }) => told.push(`failure ${handled}`))
    for (const { endings, takes, isolated } of program.bursts) {
      const handle = isolated ? policy.isolate() : undefined
      for (const [at, ends] of endings.entries()) {
        void result(policy.execute(() => end(ends, takes))).then((text) => told.push(`${at} ${text}`))
      }
      await vi.advanceTimersByTimeAsync(takes)
      await vi.advanceTimersByTimeAsync(takes)
      trace.push(...told.toSorted(), `is ${policy.state}`)
      told = []
      if (handle !== undefined) handle.dispose()
      await vi.advanceTimersByTimeAsync(1000 - ((2 * takes) % 1000))
    }
    return trace
  })
}

export function makeBreaker(
  library: Library,
  kind: BreakerKind,
): InstanceType<Library['ConsecutiveBreaker'] | Library['CountBreaker'] | Library['SamplingBreaker']> {
  if (kind.type === 'consecutive') return new library.ConsecutiveBreaker(kind.threshold)
  if (kind.type === 'sampling') {
    return new library.SamplingBreaker({
      threshold: kind.threshold,
      duration: 5000,
      minimumRps: kind.minimumRps,
    })
  }
  return new library.CountBreaker({
    threshold: kind.threshold,
    size: kind.size,
    minimumNumberOfCalls: kind.minimum,
  })
}

/** A call that takes virtual milliseconds. */
export async function end(ends: Ending, takes: number): Promise<string> {
  if (takes > 0) await new Promise((resolve) => setTimeout(resolve, takes))
  if (ends === 'failure') throw new Handled('failed')
  if (ends === 'error') throw new TypeError('another error')
  return 'value'
}

/** What a caller gets, by its kind. */
export async function result(answer: Promise<unknown>): Promise<string> {
  try {
    return `gets ${String(await answer)}`
  } catch (error) {
    const marks = [
      'isIsolatedCircuitError',
      'isBrokenCircuitError',
      'isBulkheadRejectedError',
      'isTaskCancelledError',
    ]
    if (!(error instanceof Error)) return `throws ${String(error)}`
    return `throws ${marks.find((mark) => mark in error) ?? error.message}`
  }
}

type Layer =
  | { readonly type: 'retry'; readonly attempts: number; readonly delays: readonly number[] }
  | { readonly type: 'timeout'; readonly after: number; readonly aggressive: boolean }
  | { readonly type: 'bulkhead'; readonly limit: number; readonly queue: number }
  | { readonly type: 'fallback' }
  | { readonly type: 'noop' }

export interface WrapProgram {
  readonly layers: readonly Layer[]
  /** Calls begin `slot` slots after the one before. */
  readonly calls: readonly {
    readonly slots: number
    readonly attempts: readonly { readonly ends: Ending; readonly slots: number }[]
  }[]
}

// Call i does everything at milliseconds that are i modulo a slot, so that no two of them do something at once.
const slot = 16

const anyLayer: fc.Arbitrary<Layer> = fc.oneof(
  fc.record({
    type: fc.constant('retry' as const),
    attempts: fc.integer({ min: 0, max: 3 }),
    delays: fc.array(fc.constantFrom(0, slot, 4 * slot), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    type: fc.constant('timeout' as const),
    after: fc.integer({ min: 1, max: 8 }).map((slots) => slots * 2 * slot + slot),
    aggressive: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('bulkhead' as const),
    limit: fc.integer({ min: 1, max: 3 }),
    queue: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({ type: fc.constant('fallback' as const) }),
  fc.record({ type: fc.constant('noop' as const) }),
)

export const wrapProgram: fc.Arbitrary<WrapProgram> = fc.record({
  layers: fc
    .array(anyLayer, { minLength: 1, maxLength: 4 })
    .filter((layers) => abortsNobody(layers) && keepsPlaces(layers)),
  calls: fc.array(
    fc.record({
      slots: fc.integer({ min: 0, max: 6 }),
      attempts: fc.array(fc.record({ ends: ending, slots: fc.integer({ min: 0, max: 12 }) }), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
    { minLength: 1, maxLength: 10 },
  ),
})

// An abort has its effect on a waiting call of cockatiel's only when the wait is over, and is a timeout to a timeout.
function abortsNobody(layers: readonly Layer[]): boolean {
  const outermost = layers.findIndex(({ type }) => type === 'timeout')
  const within = outermost === -1 ? [] : layers.slice(outermost + 1)
  return within.every(({ type }) => type === 'fallback' || type === 'noop')
}

// A call of cockatiel's that waits in a bulkhead can lose its place to one that comes in the moment another one ends.
function keepsPlaces(layers: readonly Layer[]): boolean {
  const bulkheads = layers.filter(({ type }) => type === 'bulkhead').length
  return bulkheads === 0 || (bulkheads === 1 && layers.every(({ type }) => type !== 'retry'))
}

/** What each call got and when, in the order of the calls; and how often each policy told of what. */
export function runWrapProgram(library: Library, { layers, calls }: WrapProgram): Promise<Trace> {
  return inVirtualTime(async () => {
    const trace: string[] = []
    const counts = new Map<string, number>()
    const count = (name: string) => (): unknown => counts.set(name, (counts.get(name) ?? 0) + 1)
    const policies = layers.map((each, at) => makeLayer(library, each, (name) => count(`${at} ${name}`)))
    const policy = library.wrap(...policies)
    let at = 0
    for (const [index, { slots, attempts }] of calls.entries()) {
      at += slots * slot
      let attempt = 0
      setTimeout(() => {
        const answer = policy.execute((context) => {
          const { ends, slots: takes } =
            attempts[Math.min(attempt++, attempts.length - 1)] ?? attempts[0] ?? never()
          if (!(context.signal instanceof AbortSignal)) throw new Error('no signal')
          return end(ends, takes * 2 * slot)
        })
        void result(answer).then((text) => (trace[index] = `${index} ${text} at ${Date.now()}`))
      }, at + index)
    }
    await vi.advanceTimersByTimeAsync(100_000)
    return [...trace, ...[...counts].map(([name, times]) => `${name}: ${times}`).toSorted()]
  })
}

function makeLayer(
  library: Library,
  layer: Layer,
  count: (name: string) => () => unknown,
): InstanceType<Library['NoopPolicy']> {
  const policy = layerOf(library, layer, count)
  // A bulkhead of cockatiel never tells of these.
  if (layer.type !== 'bulkhead') {
    policy.onSuccess(count('success'))
    policy.onFailure(count('failure'))
  }
  return policy as InstanceType<Library['NoopPolicy']>
}

function layerOf(library: Library, layer: Layer, count: (name: string) => () => unknown) {
  const { bulkhead, fallback, handleType, IterableBackoff, NoopPolicy, retry, timeout, TimeoutStrategy } =
    library
  if (layer.type === 'retry') {
    const { attempts, delays } = layer
    const policy = retry(handleType(Handled), { maxAttempts: attempts, backoff: new IterableBackoff(delays) })
    policy.onRetry(count('retry'))
    policy.onGiveUp(count('give up'))
    return policy
  }
  if (layer.type === 'timeout') {
    const policy = timeout(
      layer.after,
      layer.aggressive ? TimeoutStrategy.Aggressive : TimeoutStrategy.Cooperative,
    )
    policy.onTimeout(count('timeout'))
    return policy
  }
  if (layer.type === 'bulkhead') {
    const policy = bulkhead(layer.limit, layer.queue)
    policy.onReject(count('reject'))
    return policy
  }
  return layer.type === 'fallback' ? fallback(handleType(Handled), 'fallback') : new NoopPolicy()
}

function never(): never {
  throw new Error('a program has attempts')
}
