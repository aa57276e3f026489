import { Buffer } from 'node:buffer'
import {
  createIdempotency,
  type Exchange,
  type ExchangeOutcome,
  type IdempotencyStore,
  type ReceivedRequest,
} from '@loadbearing/stripe-idempotency'

/** A store to measure, empty, and what about its server decides how much a commit costs. */
export interface Measurable {
  readonly name: string
  readonly settings: string
  readonly store: IdempotencyStore
}

/** What a request meets. */
const cases = ['pass', 'first', 'replay', 'conflict', 'mismatch'] as const
type Case = (typeof cases)[number]

const expected: Readonly<Record<Case, ExchangeOutcome>> = {
  pass: 'passed',
  first: 'executed',
  replay: 'replayed',
  conflict: 'in-use',
  mismatch: 'content-mismatch',
}
const sizes: readonly (readonly [name: string, bytes: number])[] = [
  ['200 B', 200],
  ['10 KB', 10_000],
  ['1 MB', 1_000_000],
]
const sliceMs = 25

/** Milliseconds of the slowest in the middle and of the slowest of a hundred. */
interface Latency {
  readonly p50: number
  readonly p99: number
  readonly many: number
}

export const matrixColumns: readonly string[] = [
  'store',
  'settings',
  'request',
  'body',
  'at once',
  'handler alone, p50',
  'added, p50',
  'added, p99',
  'requests',
]

/**
 * How much longer a request takes than its handler alone: each case, size of body and answer, and concurrency; slices of the
 * handler alone and of the case in turns ABBA.
 */
export async function matrixOf({ store, name, settings }: Measurable): Promise<string[][]> {
  const exchange = createIdempotency({ store, lease: '1h', storeTimeout: '1m' }).http({
    mode: 'stripe-v1',
    maxBodyBytes: 2 ** 21,
    maxResponseBytes: 2 ** 21,
  })
  const rows: string[][] = []
  for (const [size, bytes] of sizes) {
    for (const atOnce of [1, 64]) {
      for (const each of cases) {
        const bench = await Bench.of(exchange, each, bytes)
        const { alone, added } = await compared(bench, atOnce)
        await bench.end()
        rows.push([
          name,
          settings,
          each,
          size,
          String(atOnce),
          microseconds(alone.p50),
          microseconds(added.p50 - alone.p50),
          microseconds(added.p99 - alone.p99),
          String(added.many),
        ])
      }
    }
  }
  return rows
}

async function compared(bench: Bench, atOnce: number): Promise<{ alone: Latency; added: Latency }> {
  const alone: number[] = []
  const cased: number[] = []
  const slice = async (once: () => Promise<void>, latencies: number[]): Promise<void> => {
    const end = performance.now() + sliceMs
    do {
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          const began = performance.now()
          await once()
          latencies.push(performance.now() - began)
        }),
      )
    } while (performance.now() < end)
  }
  if (!bench.isHeavy) {
    await slice(() => bench.alone(), [])
    await slice(() => bench.once(), [])
  }
  await slice(() => bench.alone(), alone)
  await slice(() => bench.once(), cased)
  await slice(() => bench.once(), cased)
  await slice(() => bench.alone(), alone)
  return { alone: latencyOf(alone), added: latencyOf(cased) }
}

let benches = 0

/** One case with bodies of one size. */
class Bench {
  readonly #exchange: Exchange
  readonly #case: Case
  readonly #body: Buffer
  readonly #other: Buffer
  readonly #series = `${process.pid}-${benches++}`
  readonly #held = Promise.withResolvers<void>()
  #holder: Promise<unknown> | undefined
  #sent = 0

  private constructor(exchange: Exchange, each: Case, bytes: number) {
    this.#exchange = exchange
    this.#case = each
    this.#body = bodyOf(bytes, 'usd')
    this.#other = bodyOf(bytes, 'eur')
  }

  static async of(exchange: Exchange, each: Case, bytes: number): Promise<Bench> {
    const bench = new Bench(exchange, each, bytes)
    if (each === 'replay' || each === 'mismatch') await bench.#answer('kept', bench.#body)
    if (each === 'conflict') await bench.#hold()
    return bench
  }

  /** So long that it need not be warm. */
  get isHeavy(): boolean {
    return this.#body.length > 500_000
  }

  async alone(): Promise<void> {
    await this.#handle()
  }

  async once(): Promise<void> {
    const each = this.#case
    const key = each === 'pass' ? undefined : each === 'first' ? String(this.#sent++) : 'kept'
    const outcome = await this.#answer(key, each === 'mismatch' ? this.#other : this.#body)
    if (outcome !== expected[each]) throw new Error(`${each} came to ${outcome}`)
  }

  async end(): Promise<void> {
    this.#held.resolve()
    await this.#holder
  }

  async #hold(): Promise<void> {
    const begun = Promise.withResolvers<void>()
    this.#holder = this.#exchange.answer(this.#requestOf('kept', this.#body), 'acct_1', async () => {
      begun.resolve()
      await this.#held.promise
      return this.#handle()
    })
    await begun.promise
  }

  async #answer(key: string | undefined, body: Buffer): Promise<ExchangeOutcome> {
    const { outcome } = await this.#exchange.answer(this.#requestOf(key, body), 'acct_1', () =>
      this.#handle(),
    )
    return outcome
  }

  async #handle(): Promise<{ status: number; headers: [string, string][]; body: Buffer }> {
    return { status: 200, headers: [['content-type', 'application/json']], body: this.#body }
  }

  #requestOf(key: string | undefined, body: Buffer): ReceivedRequest {
    return {
      method: 'POST',
      path: '/v1/charges',
      query: '',
      headers: [
        ['content-type', 'application/json'],
        ...(key === undefined ? [] : [['idempotency-key', `${this.#series}-${key}`] as const]),
      ],
      body,
    }
  }
}

/** JSON of lines of an invoice, about so many bytes. */
function bodyOf(bytes: number, currency: string): Buffer {
  const line = {
    amount: 2000,
    currency,
    description: 'Delay of flight AA 1017, 187 minutes',
    claim: 'clm_017',
  }
  const lines = Math.max(1, Math.round(bytes / (JSON.stringify(line).length + 1)))
  return Buffer.from(
    JSON.stringify({ customer: 'cus_NffrFeUfNV2Hib', lines: Array.from({ length: lines }, () => line) }),
  )
}

function latencyOf(latencies: number[]): Latency {
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), many: sorted.length }
}

function microseconds(ms: number): string {
  const us = ms * 1000
  return `${Math.abs(us) >= 100 ? Math.round(us) : Number(us.toPrecision(2))} µs`
}
