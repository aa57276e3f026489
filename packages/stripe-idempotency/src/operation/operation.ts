import { type Duration, parseDuration, parseRetention } from '../duration.ts'
import type { Engine } from '../engine.ts'
import { IdempotencyError, shown } from '../errors.ts'
import type { Held } from '../execution.ts'
import { contentOf } from '../input.ts'
import { checkScope, checkText, type Run, runOf } from '../run.ts'
import { read } from './journal.ts'
import { type Attempt, perform } from './perform.ts'
import type { CallPhase, CallStep, Phase, PhaseOptions, TxContext, TxStep } from './phase.ts'
import { type StandardSchema, shownIssues } from './standard-schema.ts'
import type { Setting } from './step.ts'

/** What {@link Operation.execute} is asked for. */
export interface ExecuteRequest<Input> {
  /** Whose key it is: an account, a tenant. */
  readonly scope: string
  readonly key: string
  /** The same key with another input is a mismatch. Kept as JSON, as it is given here; phases get what the schema makes of it. */
  readonly input: Input
  /** How long to wait for another one that is at work on the key. Default: not at all. */
  readonly wait?: Duration
  /** The caller has gone, and waits no longer for another one. Phases that have begun go on. */
  readonly signal?: AbortSignal
}

/**
 * Work in phases, each of which is committed with what it left before the next one begins, so that whoever comes after a
 * crash goes on where it stopped: the next caller with the key, or the completer of a worker. (Brandur Leach, "Implementing
 * Stripe-like idempotency keys in Postgres")
 *
 * What phases leave is kept as JSON, and phases get it as JSON gives it back, in the first attempt as well.
 */
export interface Operation<Transaction, Given, Input, Outputs, Prev> {
  readonly name: string
  /**
   * A phase that writes in a transaction of the store, which commits its output, its jobs and the recovery point as well:
   * all of it happens once, or none. An error says that nothing was done. Nothing else may be called from it.
   *
   * A store without transactions gives `null` for one: then the phase is journaled after it ran, and uncertain where it
   * began and nobody knows whether it ended.
   */
  tx<Name extends string, Output>(
    name: Name,
    work: (transaction: Transaction, context: TxContext<Input, Outputs, Prev>) => Output | Promise<Output>,
    options?: PhaseOptions,
  ): Operation<Transaction, Given, Input, Outputs & Readonly<Record<Name, Output>>, Output>
  /** A phase that calls somebody else: at most once within `retention`, else uncertain. No connection is held meanwhile. */
  call<Name extends string, Output>(
    name: Name,
    phase: CallPhase<Input, Outputs, Prev, Output>,
  ): Operation<Transaction, Given, Input, Outputs & Readonly<Record<Name, Output>>, Output>
  /**
   * Carries it out for its scope and key, from where it stopped, and answers with what the last phase left.
   *
   * @throws IdempotencyError `input_invalid`, `mismatch`, `in_use`, `uncertain`, `operation_failed`, `store_unavailable`,
   * `lease_lost`, `response_unavailable`
   * @throws what a phase has thrown and may be tried again, with the same key
   */
  execute(request: ExecuteRequest<Given>): Promise<Run<Prev>>
}

/** Operations by their names, for the completer. */
type Registry = Map<string, AnyOperation>

/** An operation whose types are known where it was made. */
export interface AnyOperation {
  readonly name: string
  readonly phases: readonly Phase[]
  /** @throws IdempotencyError `input_invalid` */
  parse(input: unknown): Promise<unknown>
}

/** What operations are made with. */
export interface OperationParts extends Setting {
  readonly engine: Engine
  readonly registry: Registry
}

// What it leaves out is for names of the package's own in a journal.
const nameForm = /^[\w.-]{1,100}$/

export class PhasedOperation<Transaction, Given, Input, Outputs, Prev>
  implements Operation<Transaction, Given, Input, Outputs, Prev>, AnyOperation
{
  readonly name: string
  readonly phases: readonly Phase[]
  readonly #parts: OperationParts
  readonly #schema: StandardSchema<Given, Input> | undefined

  /** @throws IdempotencyError `invalid_option` */
  constructor(
    parts: OperationParts,
    name: string,
    schema: StandardSchema<Given, Input> | undefined,
    phases: readonly Phase[],
  ) {
    this.name = name
    this.phases = phases
    this.#parts = parts
    this.#schema = schema
    parts.registry.set(name, this)
  }

  tx<Name extends string, Output>(
    name: Name,
    run: (transaction: Transaction, context: TxContext<Input, Outputs, Prev>) => Output | Promise<Output>,
    options: PhaseOptions = {},
  ): PhasedOperation<Transaction, Given, Input, Outputs & Readonly<Record<Name, Output>>, Output> {
    const phase: TxStep = { ...options, kind: 'tx', name, run }
    return this.#with(phase)
  }

  call<Name extends string, Output>(
    name: Name,
    { run, reconcile, retention, retryable }: CallPhase<Input, Outputs, Prev, Output>,
  ): PhasedOperation<Transaction, Given, Input, Outputs & Readonly<Record<Name, Output>>, Output> {
    const phase: CallStep = {
      kind: 'call',
      name,
      retention: parseRetention('retention', retention),
      run,
      ...(reconcile && { reconcile }),
      ...(retryable && { retryable }),
    }
    return this.#with(phase)
  }

  async execute({ scope, key, input, wait = 0, signal }: ExecuteRequest<Given>): Promise<Run<Prev>> {
    checkScope(scope)
    checkText('key', key)
    if (this.phases.length === 0) {
      throw new IdempotencyError('invalid_option', `the operation ${this.name} has no phases`)
    }
    const { fingerprint, json } = contentOf(input)
    const parsed = await this.parse(read(json))
    let attempt: Attempt | undefined
    const settled = await this.#parts.engine.settle(
      {
        scope,
        key,
        endpoint: this.name,
        fingerprint,
        onAbandoned: 'resume',
        wait: parseDuration('wait', wait),
        operation: { name: this.name, input: json },
        ...(signal && { signal }),
      },
      async (held: Held) => {
        attempt = await perform(this.#parts, this.phases, parsed, held, undefined)
        return attempt.performed
      },
    )
    if (attempt?.stopped !== undefined) throw attempt.stopped.error
    return runOf<Prev>(settled)
  }

  async parse(input: unknown): Promise<Input> {
    const result = await this.#schema?.['~standard'].validate(input)
    // Without a schema the input is what it is said to be.
    if (result === undefined) return input as Input
    if (result.issues === undefined) return result.value
    throw new IdempotencyError(
      'input_invalid',
      `the input of ${this.name} is not what its schema asks for: ${shownIssues(result.issues)}`,
    )
  }

  #with<Next, Left>(phase: Phase): PhasedOperation<Transaction, Given, Input, Next, Left> {
    const { name } = phase
    checkName('the name of a phase', name)
    if (this.phases.some((each) => each.name === name)) {
      throw new IdempotencyError('invalid_option', `the operation ${this.name} has a phase ${name} already`)
    }
    if (this.#parts.registry.get(this.name) !== this) {
      throw new IdempotencyError(
        'invalid_option',
        `the operation ${this.name} goes on with another phase already; it has one series of phases`,
      )
    }
    return new PhasedOperation(this.#parts, this.name, this.#schema, [...this.phases, phase])
  }
}

/** @throws IdempotencyError `invalid_option` */
export function checkName(what: string, name: unknown): void {
  if (typeof name === 'string' && nameForm.test(name)) return
  throw new IdempotencyError(
    'invalid_option',
    `${what} must have 1 to 100 letters, digits, '_', '.' or '-', not ${shown(name)}`,
  )
}
