import { openJournal } from '../execution.ts'
import type { IdempotencyRecord } from '../record/record.ts'
import { type Part, placeOf, type Sealer } from '../seal.ts'
import type { IdempotencyStore } from '../store/store.ts'
import { foreignKeyOf } from './foreign-key.ts'
import { intentName, progressOf, read, written } from './journal.ts'
import type { AnyOperation } from './operation.ts'
import type { Verdict } from './phase.ts'

/** What settling needs. */
interface Parts {
  readonly store: IdempotencyStore
  readonly sealer: Sealer
}

/** Asks the phase that is in doubt what became of it. Undefined where none is, or it has no way to find out. */
export async function reconcileUncertain(
  { sealer }: Parts,
  operation: AnyOperation,
  record: IdempotencyRecord,
  signal: AbortSignal,
): Promise<Verdict<unknown> | undefined> {
  const { phases } = operation
  const progress = progressOf(phases, openJournal(record, sealer), record.recoveryPoint)
  if (!progress.known || typeof progress.intent?.firstAttemptAt !== 'number') return undefined
  const phase = phases[progress.done.size]
  if (phase?.kind !== 'call' || record.operation === null || record.erased) return undefined
  return phase.reconcile?.({
    input: await operation.parse(read(sealer.open(record.operation.input, placeOf(record, 'input')))),
    prev: [...progress.done.values()].at(-1),
    outputs: Object.fromEntries(progress.done),
    recordId: record.id,
    fence: record.fence,
    signal,
    foreignKey: foreignKeyOf(record.id, phase.name),
  })
}

/**
 * Settles an uncertain record by what somebody found out. An operation in phases goes on: with `value` as what its phase in
 * doubt left, or with that phase. Of any other record `value` is the answer, or its key is as new.
 *
 * @returns whether it was uncertain, and the verdict says something
 */
export async function settleUncertain(
  { store, sealer }: Parts,
  record: IdempotencyRecord,
  verdict: Verdict<unknown>,
): Promise<boolean> {
  if (verdict.verdict === 'unknown') return false
  const seal = (value: unknown, part: Part): Uint8Array => sealer.seal(written(value), placeOf(record, part))
  if (record.operation === null) {
    return store.settle(record, verdict.verdict === 'applied' ? seal(verdict.value, 'answer') : null)
  }
  const phase = phaseInDoubt(record)
  if (phase === undefined) {
    // Nothing is in doubt but how to go on.
    const output = record.recoveryPoint === null ? undefined : record.journal.get(record.recoveryPoint)
    if (verdict.verdict === 'applied') return store.settle(record, seal(verdict.value, 'answer'))
    return output === undefined || record.recoveryPoint === null
      ? store.settle(record, null)
      : store.reopen(record, { name: record.recoveryPoint, output })
  }
  const [name, left] =
    verdict.verdict === 'applied' ? [phase, verdict.value] : [intentName(phase), { firstAttemptAt: null }]
  return store.reopen(record, { name, output: seal(left, `output ${name}`) })
}

/** The phase that has an intent and no output. */
function phaseInDoubt({ journal }: IdempotencyRecord): string | undefined {
  const suffix = intentName('')
  return journal
    .keys()
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
    .find((name) => !journal.has(name))
}
