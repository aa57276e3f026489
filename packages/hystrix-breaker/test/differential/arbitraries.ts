import fc, { type Arbitrary } from 'fast-check'

export interface TraceCase {
  readonly op: 'trace'
  readonly preset: 'resilience4j'
  readonly options: Readonly<Record<string, string | number>>
  readonly events: readonly { readonly at: number; readonly do: string; readonly call?: string }[]
}

export interface LimitCase {
  readonly op: 'limit'
  readonly kind: 'gradient2' | 'vegas' | 'aimd'
  readonly options: Readonly<Record<string, number>>
  readonly samples: readonly {
    readonly at: number
    readonly rtt: number
    readonly inflight: number
    readonly dropped: boolean
  }[]
}

const options = fc.oneof(
  fc.record({
    slidingWindowType: fc.constant('COUNT_BASED'),
    slidingWindowSize: fc.integer({ min: 1, max: 12 }),
    ...rest(),
  }),
  fc.record({
    slidingWindowType: fc.constant('TIME_BASED'),
    slidingWindowSize: fc.integer({ min: 1, max: 5 }),
    ...rest(),
  }),
)

function rest(): {
  [Name in
    | 'minimumNumberOfCalls'
    | 'failureRateThreshold'
    | 'slowCallRateThreshold'
    | 'slowCallDurationThreshold'
    | 'waitDurationInOpenState'
    | 'permittedNumberOfCallsInHalfOpenState']: Arbitrary<number>
} {
  const rate = fc.constantFrom(1, 10, 12.5, 25, 33.3, 33.333332, 50, 66.66667, 80, 100)
  return {
    minimumNumberOfCalls: fc.integer({ min: 1, max: 12 }),
    failureRateThreshold: rate,
    slowCallRateThreshold: rate,
    slowCallDurationThreshold: fc.constantFrom(1, 50, 400, 60_000),
    waitDurationInOpenState: fc.constantFrom(1, 100, 1500),
    permittedNumberOfCallsInHalfOpenState: fc.integer({ min: 1, max: 6 }),
  }
}

type Move =
  | { readonly kind: 'acquire' }
  | { readonly kind: 'settle'; readonly luck: number; readonly which: number }
  | { readonly kind: 'operator'; readonly what: string }

const move: Arbitrary<Move> = fc.oneof(
  { weight: 40, arbitrary: fc.constant({ kind: 'acquire' as const }) },
  {
    weight: 40,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      luck: fc.nat(99),
      which: fc.nat(5),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('operator' as const),
      what: fc.constantFrom('force-open', 'force-closed', 'disable', 'reset', 'reset', 'reset'),
    }),
  },
)

const wait = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 60 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 99, 100, 101) },
  { weight: 1, arbitrary: fc.integer({ min: 400, max: 3000 }) },
)

/** Traces in which calls overlap and are settled in any order, late ones among them. */
export const traceCase: Arbitrary<TraceCase> = fc
  .record({
    options,
    failing: fc.constantFrom(10, 30, 50, 80),
    moves: fc.array(fc.tuple(wait, move), { maxLength: 150, size: 'max' }),
  })
  .map(({ options: given, failing, moves }) => {
    const out: string[] = []
    let at = 0
    let calls = 0
    const events: TraceCase['events'][number][] = []
    for (const [ms, one] of moves) {
      at += ms
      if (one.kind === 'operator') events.push({ at, do: one.what })
      else if (one.kind === 'acquire') {
        const call = `c${calls++}`
        out.push(call)
        events.push({ at, do: 'acquire', call })
      } else {
        const [call] = out.splice(one.which % Math.max(1, out.length), 1)
        if (call !== undefined) events.push({ at, do: outcome(one.luck, failing), call })
      }
    }
    return { op: 'trace', preset: 'resilience4j', options: given, events }
  })

function outcome(luck: number, failing: number): string {
  if (luck >= 95) return 'ignore'
  return luck < failing ? 'failure' : 'success'
}

const samples = (maxLength: number): Arbitrary<LimitCase['samples']> =>
  fc
    .record({
      base: fc.integer({ min: 1, max: 500 }),
      each: fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 4000 }), fc.nat(250), fc.nat(15)), {
        maxLength,
        size: 'max',
      }),
    })
    .map(({ base, each }) => {
      let at = 0
      return each.map(([after, percent, inflight, luck]) => {
        at += after
        return { at, rtt: Math.max(1, Math.round((base * percent) / 1000)), inflight, dropped: luck === 0 }
      })
    })

const smoothing = fc.constantFrom(0.1, 0.2, 0.5, 1)

// With small multipliers Vegas looks at the round trip without load again and again, after `0.75 * multiplier * limit`
// samples.
export const limitCase: Arbitrary<LimitCase> = fc.oneof(
  fc.record({
    op: fc.constant('limit' as const),
    kind: fc.constant('aimd' as const),
    options: fc.record({
      initialLimit: fc.integer({ min: 1, max: 200 }),
      minLimit: fc.integer({ min: 1, max: 20 }),
      maxLimit: fc.integer({ min: 20, max: 300 }),
      backoffRatio: fc.constantFrom(0.5, 0.75, 0.9, 0.99),
      timeout: fc.integer({ min: 1, max: 2000 }),
    }),
    samples: samples(100),
  }),
  fc.record({
    op: fc.constant('limit' as const),
    kind: fc.constant('gradient2' as const),
    options: fc.record({
      initialLimit: fc.integer({ min: 1, max: 200 }),
      minLimit: fc.integer({ min: 1, max: 20 }),
      maxConcurrency: fc.integer({ min: 20, max: 300 }),
      smoothing,
      queueSize: fc.nat(10),
      longWindow: fc.constantFrom(1, 10, 100, 600),
      rttTolerance: fc.constantFrom(1, 1.5, 2),
    }),
    samples: samples(100),
  }),
  fc.record({
    op: fc.constant('limit' as const),
    kind: fc.constant('vegas' as const),
    options: fc.record({
      initialLimit: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 1200 })),
      maxConcurrency: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 2000 })),
      smoothing,
      probeMultiplier: fc.constantFrom(1, 2, 30),
    }),
    samples: samples(150),
  }),
)

export interface CommandCase {
  readonly op: 'command'
  readonly options: Readonly<Record<string, unknown>>
  readonly calls: readonly Readonly<Record<string, unknown>>[]
}

// For a peer in real time: calls far enough apart, and from their time limit, that a busy machine changes nothing.
export const commandCase: Arbitrary<CommandCase> = fc
  .record({
    isolation: fc.constantFrom('THREAD', 'SEMAPHORE'),
    disabled: fc.nat(5),
    open: fc.nat(5),
    rejected: fc.nat(5),
    calls: fc.array(
      fc.record({
        ends: fc.constantFrom('success', 'failure', 'bad-request', 'hang'),
        fallback: fc.constantFrom('success', 'failure', 'missing'),
        cacheKey: fc.constantFrom('a', 'b', undefined),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ isolation, disabled, open, rejected, calls }) => ({
    op: 'command' as const,
    options: {
      name: 'Get',
      'execution.isolation.strategy': isolation,
      'execution.isolation.thread.timeoutInMilliseconds': 120,
      ...(disabled === 0 ? { 'fallback.enabled': false } : {}),
      ...(open === 0 ? { 'circuitBreaker.forceOpen': true } : {}),
    },
    calls: calls.map(({ ends, fallback, cacheKey }, at) => ({
      at: at * 250,
      takes: 1,
      ends,
      fallback: rejected === 0 ? 'rejected' : fallback,
      ...(cacheKey === undefined ? {} : { cacheKey }),
    })),
  }))

export interface PercentileCase {
  readonly op: 'percentile'
  readonly values: readonly number[]
  readonly of: readonly number[]
}

export const percentileCase: Arbitrary<PercentileCase> = fc.record({
  op: fc.constant('percentile' as const),
  values: fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 200, size: 'max' }),
  of: fc.array(fc.oneof(fc.nat(100), fc.constantFrom(0.1, 12.5, 99.5, 99.9)), { minLength: 1, maxLength: 8 }),
})
