import { Buffer } from 'node:buffer'
import { type Duration, parseDuration } from './duration.ts'
import { type Failure, IdempotencyError, shown } from './errors.ts'
import type { Execution, Held } from './execution.ts'
import { fingerprintOf, textOf } from './input.ts'
import type { OnAbandoned } from './record/record.ts'
import type { Performed, Request, Settled } from './settlement.ts'

/** What {@link Idempotency.run} is asked for. */
export interface RunRequest {
  /** Whose key it is: an account, a tenant. At most 500 characters. */
  readonly scope: string
  readonly key: string
  /** What is asked for: the same key with another input is a mismatch. As JSON: what that makes equal, such as NaN and null, is the same. */
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

/** What is kept as the answer to a key: what the work came to, or the error that was final. */
type Answer = { readonly value: unknown } | { readonly failure: Failure }

/**
 * Settles a request; its work is given what the way of settling gives it besides. `again` is told that what was performed was
 * rolled back, and the key is asked for anew.
 */
export interface Settler<Given extends unknown[]> {
  settle(
    request: Request,
    perform: (execution: Held, ...given: Given) => Promise<Performed>,
    again: () => void,
  ): Promise<Settled> | Settled
}

/** @throws as {@link Idempotency.run} */
export function run<Value, Given extends unknown[]>(
  settler: Settler<Given>,
  request: RunRequest,
  work: (execution: Execution, ...given: Given) => Promise<Value>,
): Promise<Run<Value>> {
  const carried = new Carried(work)
  try {
    const settled = settler.settle(
      requestOf(request),
      (...given) => carried.perform(...given),
      () => carried.forget(),
    )
    return 'outcome' in settled
      ? Promise.resolve(carried.runOf(settled))
      : settled.then((each) => carried.runOf(each))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** @throws IdempotencyError `invalid_option`, `input_invalid` */
function requestOf({ scope, key, input, operation = '', wait = 0, rerun = 'never' }: RunRequest): Request {
  checkScope(scope)
  checkText('key', key)
  if (operation !== '') checkText('operation', operation)
  return {
    scope,
    key,
    endpoint: operation,
    fingerprint: fingerprintOf(input),
    onAbandoned: abandonedBy(rerun),
    wait: parseDuration('wait', wait),
  }
}

/** Work, and what it came to. */
class Carried<Value, Given extends unknown[]> {
  readonly #work: (execution: Execution, ...given: Given) => Promise<Value>
  #value: { readonly value: Value } | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(work: (execution: Execution, ...given: Given) => Promise<Value>) {
    this.#work = work
  }

  async perform(execution: Execution, ...given: Given): Promise<Performed> {
    const work = this.#work
    try {
      this.#value = { value: await work(execution, ...given) }
    } catch (error) {
      this.#failure = { error }
      return { answer: new Uint8Array(), fate: 'release', error }
    }
    return { answer: Buffer.from(textOf(this.#value.value)), fate: 'keep' }
  }

  forget(): void {
    this.#value = undefined
    this.#failure = undefined
  }

  /** @throws as {@link runOf}, and what the work has thrown */
  runOf(settled: Settled): Run<Value> {
    if (this.#failure !== undefined) throw this.#failure.error
    // What the work came to is handed on as it is, not as what JSON makes of it.
    return this.#value !== undefined && settled.outcome === 'executed'
      ? { value: this.#value.value, replayed: false, recordId: settled.recordId, fence: settled.fence }
      : runOf<Value>(settled)
  }
}

/**
 * What the caller gets.
 *
 * @throws IdempotencyError `mismatch`, `in_use`, `uncertain`, `response_unavailable`, `operation_failed`
 */
export function runOf<Value>(settled: Settled): Run<Value> {
  switch (settled.outcome) {
    case 'executed':
    case 'replayed': {
      const { recordId, fence, answer, outcome } = settled
      if (answer === null) {
        throw new IdempotencyError('response_unavailable', `record ${recordId}: what it came to was erased`)
      }
      const kept: Answer = JSON.parse(bufferOf(answer).toString())
      if ('failure' in kept) {
        const { failure } = kept
        throw new IdempotencyError(
          'operation_failed',
          `record ${recordId}: it failed for good: ${failure.name}: ${failure.message}`,
          { failure },
        )
      }
      // What was kept is what the same work came to.
      return { value: kept.value as Value, replayed: outcome === 'replayed', recordId, fence }
    }
    case 'mismatch':
      throw new IdempotencyError(
        'mismatch',
        'the key was used before, for another input or operation; take a new key for a new request',
      )
    case 'in-use':
      throw new IdempotencyError(
        'in_use',
        `record ${settled.recordId}: the key is held by a request that is still at work; ask again later`,
      )
    case 'uncertain':
      throw new IdempotencyError(
        'uncertain',
        `record ${settled.recordId}: nobody knows whether it took effect: ${settled.why}`,
      )
    default:
      return settled satisfies never
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** @throws IdempotencyError `invalid_option` */
export function abandonedBy(rerun: 'safe' | 'never'): OnAbandoned {
  if (rerun === 'safe') return 'rerun'
  if (rerun === 'never') return 'uncertain'
  throw new IdempotencyError('invalid_option', `rerun must be 'safe' or 'never', not ${shown(rerun)}`)
}

/** PostgreSQL has no index for names of much more than 2,000 bytes. */
const scopeMaxLength = 500

/** @throws IdempotencyError `invalid_option` */
export function checkScope(scope: unknown): void {
  checkText('scope', scope)
  if (typeof scope !== 'string' || scope.length <= scopeMaxLength) return
  throw new IdempotencyError(
    'invalid_option',
    `scope must have at most ${scopeMaxLength} characters, not ${shown(scope)}`,
  )
}

/** @throws IdempotencyError `invalid_option` */
export function checkText(name: string, value: unknown): void {
  // In UTF-8 all lone surrogates are one character: two names could become one.
  if (typeof value === 'string' && value !== '' && value.isWellFormed()) return
  throw new IdempotencyError(
    'invalid_option',
    `${name} must be a string of Unicode that is not empty, not ${shown(value)}`,
  )
}
