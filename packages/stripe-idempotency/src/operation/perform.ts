import { Buffer } from 'node:buffer'
import { type Failure, isIdempotencyError } from '../errors.ts'
import type { Held } from '../execution.ts'
import type { Performed } from '../settlement.ts'
import { performCall } from './call-phase.ts'
import { progressOf, written } from './journal.ts'
import type { Phase } from './phase.ts'
import { InDoubt, type Setting, type Step } from './step.ts'
import { isTransportError } from './transport-error.ts'
import { performTx } from './tx-phase.ts'

/** What one attempt at an operation came to. */
export interface Attempt {
  readonly performed: Performed
  /** What stopped it, for the caller to see; it may be asked for again. */
  readonly stopped?: { readonly error: unknown }
}

/**
 * Carries out the phases that are still to be done, each once its outcome is committed.
 *
 * @throws IdempotencyError `lease_lost`; then another one goes on
 */
export async function perform(
  setting: Setting,
  phases: readonly Phase[],
  input: unknown,
  held: Held,
  stop: AbortSignal | undefined,
): Promise<Attempt> {
  const progress = progressOf(phases, held.journal, held.recoveryPoint)
  if (!progress.known) return { performed: { fate: 'uncertain', why: progress.why } }
  const outputs = new Map(progress.done)
  const signal = stop === undefined ? held.signal : AbortSignal.any([held.signal, stop])
  let prev: unknown = [...progress.done.values()].at(-1)
  let { intent } = progress
  // What is in the journal is committed; before that the key can be given back.
  let untouched = held.journal.size === 0
  const rest = phases.slice(progress.done.size)
  for (const [at, phase] of rest.entries()) {
    const context = {
      input,
      prev,
      outputs: Object.fromEntries(outputs),
      recordId: held.recordId,
      fence: held.fence,
      signal,
    }
    const step: Step = { context, intent, last: at === rest.length - 1 }
    try {
      const done =
        phase.kind === 'tx'
          ? await performTx(setting, phase, step, held)
          : await performCall(setting, phase, step, held)
      if (done.kept) return { performed: { fate: 'kept', answer: written(done.output) } }
      prev = done.output
    } catch (error) {
      return failed(phase, error, held, untouched && phase.kind === 'tx' && !wasInDoubt(error))
    }
    outputs.set(phase.name, prev)
    intent = undefined
    untouched = false
  }
  return { performed: { fate: 'keep', answer: written(prev) } }
}

function failed(phase: Phase, error: unknown, held: Held, untouched: boolean): Attempt {
  if (error instanceof InDoubt) return { performed: { fate: 'uncertain', why: error.message } }
  // The holding is over, and whoever has the record now says what becomes of it.
  if (held.signal.aborted) throw held.signal.reason
  if (isFinal(phase, error)) {
    return { performed: { fate: 'keep', answer: Buffer.from(JSON.stringify({ failure: failureOf(error) })) } }
  }
  const fate = untouched ? 'release' : 'leave'
  return { performed: { fate, answer: new Uint8Array() }, stopped: { error } }
}

function wasInDoubt(error: unknown): boolean {
  return isIdempotencyError(error) && error.code === 'store_unavailable'
}

function isFinal({ retryable }: Phase, error: unknown): boolean {
  return (
    retryable !== undefined && !isIdempotencyError(error) && !isTransportError(error) && !retryable(error)
  )
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: null }
  const code = 'code' in error ? error.code : null
  return {
    name: error.name,
    message: error.message,
    code: typeof code === 'string' || typeof code === 'number' ? code : null,
  }
}
