import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { type Duration, parseDuration, parsePositiveDuration } from './duration.ts'
import { Engine, type Execution } from './engine.ts'
import { IdempotencyError, shown } from './errors.ts'
import { Exchange } from './http/exchange.ts'
import { type HttpOptions, httpSettings } from './http/http-options.ts'
import { type Clock, type Random, realClock, realRandom } from './ports.ts'
import { type Secret, sealerOf } from './seal.ts'
import type { IdempotencyStore } from './store/store.ts'

/** Options of {@link createIdempotency}. */
export interface IdempotencyOptions {
  readonly store: IdempotencyStore
  /**
   * Seals what is stored and hides keys. The first seals, the last names keys: to change it, put a new one in front. Default: none;
   * contents are stored as they are.
   */
  readonly secrets?: readonly Secret[]
  /** For how long a holder may be silent before its record is taken for abandoned. Default: `60s`. */
  readonly lease?: Duration
  /** For how long an answer is kept. Default: that of the mode over HTTP, else `24h`. */
  readonly ttl?: Duration
  /** How long the store may take to answer a claim; nothing is executed where it does not. Default: `5s`. */
  readonly storeTimeout?: Duration
  readonly clock?: Clock
  readonly random?: Random
}

/** What {@link Idempotency.run} is asked for. */
export interface RunRequest {
  /** Whose key it is: an account, a tenant. */
  readonly scope: string
  readonly key: string
  /** What is asked for: the same key with another input is a mismatch. As JSON. */
  readonly input: unknown
  /** What is called; a key is for one of them. Default: none. */
  readonly operation?: string
  /** How long to wait for another one that is at work on the key. Default: not at all. */
  readonly wait?: Duration
  /** `safe`: running it again does no harm, where a holder was lost in the middle. Default: `never`, and the key is uncertain. */
  readonly rerun?: 'safe' | 'never'
}

/** What a request came to. */
export interface Run<Value> {
  readonly value: Value
  readonly replayed: boolean
  readonly recordId: string
  readonly fence: number
}

/** One effect for each key, on one store. */
export interface Idempotency extends AsyncDisposable {
  /**
   * Carries out `work` once for its scope and key, and answers with what it came to, then and from then on. Values are kept as
   * JSON. An error of `work` says that nothing was done: the key is as new.
   *
   * @throws IdempotencyError `mismatch`, `in_use`, `uncertain`, `store_unavailable`, `lease_lost`, `response_unavailable`
   */
  run<Value>(request: RunRequest, work: (execution: Execution) => Promise<Value>): Promise<Run<Value>>
  /** The same for requests over HTTP; what the adapters are made of. */
  http(options: HttpOptions): Exchange
}

/** @throws IdempotencyError `invalid_option` */
export function createIdempotency(options: IdempotencyOptions): Idempotency {
  const { store, secrets = [], clock = realClock, random = realRandom } = options
  const lease = parsePositiveDuration('lease', options.lease ?? '60s')
  const storeTimeout = parsePositiveDuration('storeTimeout', options.storeTimeout ?? '5s')
  checkSecrets(secrets)
  const sealer = sealerOf(secrets, random)
  const engineFor = (ttl: number): Engine =>
    new Engine({ store, sealer, clock, random, lease, ttl, storeTimeout })
  const ttl = options.ttl === undefined ? undefined : parsePositiveDuration('ttl', options.ttl)
  const engine = engineFor(ttl ?? 86_400_000)
  return {
    run: (request, work) => run(engine, request, work),
    http: (each) => {
      const settings = httpSettings(each)
      return new Exchange(engineFor(ttl ?? settings.mode.retention), settings)
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

async function run<Value>(
  engine: Engine,
  { scope, key, input, operation = '', wait = 0, rerun = 'never' }: RunRequest,
  work: (execution: Execution) => Promise<Value>,
): Promise<Run<Value>> {
  checkText('scope', scope)
  checkText('key', key)
  let value: { readonly value: Value } | undefined
  let failure: { readonly error: unknown } | undefined
  const settled = await engine.settle(
    {
      scope,
      key,
      endpoint: operation,
      fingerprint: hash('sha256', canonical(input), 'buffer'),
      onAbandoned: rerun === 'safe' ? 'rerun' : 'uncertain',
      wait: parseDuration('wait', wait),
    },
    async (execution) => {
      try {
        value = { value: await work(execution) }
      } catch (error) {
        failure = { error }
        return { answer: new Uint8Array(), fate: 'release' }
      }
      return { answer: Buffer.from(JSON.stringify({ value: value.value })), fate: 'keep' }
    },
  )
  if (failure !== undefined) throw failure.error
  const refuse = (
    code: 'mismatch' | 'in_use' | 'uncertain' | 'response_unavailable',
    message: string,
  ): never => {
    throw new IdempotencyError(code, message)
  }
  switch (settled.outcome) {
    case 'executed':
    case 'replayed': {
      const { recordId, fence, answer, outcome } = settled
      if (answer === null)
        return refuse('response_unavailable', `record ${recordId}: what it came to was erased`)
      const own = outcome === 'executed' ? value : undefined
      const kept: { value: Value } = own ?? JSON.parse(Buffer.from(answer).toString())
      return { value: kept.value, replayed: outcome === 'replayed', recordId, fence }
    }
    case 'mismatch':
      return refuse(
        'mismatch',
        'the key was used before, for another input or operation; take a new key for a new request',
      )
    case 'in-use':
      return refuse(
        'in_use',
        `record ${settled.recordId}: the key is held by a request that is still at work; ask again later`,
      )
    case 'uncertain':
      return refuse(
        'uncertain',
        `record ${settled.recordId}: nobody knows whether it took effect: ${settled.why}`,
      )
    default:
      return settled satisfies never
  }
}

function canonical(input: unknown): string {
  return JSON.stringify(input, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}

function checkText(name: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return
  throw new IdempotencyError(
    'invalid_option',
    `${name} must be a string that is not empty, not ${shown(value)}`,
  )
}

function checkSecrets(secrets: readonly Secret[]): void {
  const ids = new Set<string>()
  for (const { id, value } of secrets) {
    if (!/^[\x21-\x7e]{1,32}$/.test(id) || ids.has(id)) {
      throw new IdempotencyError(
        'invalid_option',
        `the id of a secret must be 1 to 32 visible ASCII characters, and of no other secret, not ${shown(id)}`,
      )
    }
    ids.add(id)
    if (Buffer.byteLength(value) < 16) {
      throw new IdempotencyError('invalid_option', `the secret ${id} must have at least 16 bytes`)
    }
  }
}
