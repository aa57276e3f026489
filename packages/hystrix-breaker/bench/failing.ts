import { createRequire } from 'node:module'
import { Breaker } from '@loadbearing/hystrix-breaker'
import { circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel'

/** What a failing call costs, in nanoseconds: on average over the first 1,000 of a closed circuit, and the first 8,000. */
export interface FailingCost {
  readonly subject: string
  readonly of1000: number
  readonly of8000: number
}

type Fail = () => Promise<unknown>

const broken = new Error('broken')
const work = (): Promise<never> => Promise.reject(broken)
const quiet = (): void => {}

interface Opossum {
  fire(): Promise<never>
  shutdown(): void
}

const OpossumClass: new (action: () => Promise<never>, options: Readonly<Record<string, number>>) => Opossum =
  createRequire(import.meta.url)('opossum')

const subjects: Readonly<Record<string, () => { readonly fail: Fail; readonly end: () => void }>> = {
  ours: () => {
    const own = new Breaker({ volumeThreshold: 1_000_000 })
    return { fail: () => own.execute(work), end: () => void own[Symbol.asyncDispose]() }
  },
  'cockatiel, sampling': () => {
    const breaker = new SamplingBreaker({ threshold: 0.9, duration: 10_000, minimumRps: 1_000_000 })
    const policy = circuitBreaker(handleAll, { halfOpenAfter: 5000, breaker })
    return { fail: () => policy.execute(work), end: quiet }
  },
  'opossum, defaults': () => {
    const own = new OpossumClass(work, { volumeThreshold: 1_000_000 })
    return { fail: () => own.fire(), end: () => own.shutdown() }
  },
}

/** The median of `rounds`, subjects and numbers of calls in turn. */
export async function failingCosts(rounds: number): Promise<FailingCost[]> {
  const times = new Map<string, { readonly of1000: number[]; readonly of8000: number[] }>()
  for (let round = 0; round < rounds; round++) {
    for (const [subject, make] of Object.entries(subjects)) {
      const of = times.get(subject) ?? { of1000: [], of8000: [] }
      times.set(subject, of)
      // As many calls in both, so that each has its share of the garbage.
      of.of1000.push(await costOf(make, 8, 1000))
      of.of8000.push(await costOf(make, 1, 8000))
    }
  }
  return [...times].map(([subject, { of1000, of8000 }]) => ({
    subject,
    of1000: median(of1000),
    of8000: median(of8000),
  }))
}

async function costOf(
  make: () => { readonly fail: Fail; readonly end: () => void },
  circuits: number,
  calls: number,
): Promise<number> {
  let took = 0
  for (let circuit = 0; circuit < circuits; circuit++) {
    const { fail, end } = make()
    const start = performance.now()
    for (let call = 0; call < calls; call++) await fail().catch(quiet)
    took += performance.now() - start
    end()
  }
  return (took * 1e6) / (circuits * calls)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
