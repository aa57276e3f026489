import { IdempotencyError, isIdempotencyError, storeUnavailable } from '../errors.ts'
import type { Held } from '../execution.ts'
import type { Sealer } from '../seal.ts'
import { isTransactional, type TransactionalStore } from '../store/store.ts'
import { commitEffect, commitPoint } from './commit-point.ts'
import { foreignKeyOf } from './foreign-key.ts'
import { intentName, read, written } from './journal.ts'
import { jobPlace, type Outbox, type StagedJob } from './outbox.ts'
import type { TxStep } from './phase.ts'
import { type Done, InDoubt, pause, type Setting, type Step } from './step.ts'

const attemptsMax = 5
const pauseMs = 10

/**
 * Carries out a phase in one commit with its output and its jobs, if the holder still holds the record. A store without
 * transactions commits the intent before and the output after; what was lost in between is in doubt.
 *
 * @throws InDoubt
 */
export async function performTx(setting: Setting, phase: TxStep, step: Step, held: Held): Promise<Done> {
  const { store } = setting
  if (typeof step.intent?.firstAttemptAt === 'number') throw new InDoubt(unended(phase, store))
  return isTransactional(store)
    ? inTransaction({ ...setting, store }, phase, step, held)
    : journaled(setting, phase, step, held)
}

/** In a transaction no intent is noted, so one that is there was noted by a call. */
function unended({ name }: TxStep, store: Setting['store']): string {
  return isTransactional(store)
    ? `the phase ${name} was a call when it was attempted, and it is none any more`
    : `the phase ${name} was begun, on a store without transactions, and did not end`
}

async function inTransaction(
  setting: Setting & { readonly store: TransactionalStore<unknown> },
  phase: TxStep,
  step: Step,
  held: Held,
): Promise<Done> {
  const { store, clock } = setting
  for (let attempt = 1; ; attempt++) {
    let thrown: { readonly error: unknown } | undefined
    try {
      return await store.transaction(async (transaction) => {
        const before = attempt > 1 ? await committedBefore(setting, transaction, phase, held) : undefined
        if (before !== undefined) return before
        try {
          return await write(setting, transaction, phase, step, held)
        } catch (error) {
          thrown = { error }
          throw error
        }
      })
    } catch (error) {
      if (attempt < attemptsMax && store.isTransient(error) && !held.signal.aborted) {
        await pause(clock, pauseMs * 2 ** attempt)
        continue
      }
      if (thrown?.error === error || isIdempotencyError(error)) throw error
      // The commit may have had its effect all the same.
      throw storeUnavailable('commit a phase', error)
    }
  }
}

/** An earlier commit may have had its effect, or have it yet: to renew the lease waits for it, and then the record tells. */
async function committedBefore(
  { store, lease }: { readonly store: TransactionalStore<unknown>; readonly lease: number },
  transaction: unknown,
  phase: TxStep,
  held: Held,
): Promise<Done | undefined> {
  const { holder } = held
  const part = store.within(transaction)
  const holds = await part.renew(holder, lease)
  const record = await part.find(holder.scope, holder.key)
  if (record?.id !== holder.id || record.fence !== holder.fence) throw held.lose()
  if (holds) {
    const output = record.journal.get(phase.name)
    return output && { output: read(held.open(output, `output ${phase.name}`)), kept: false }
  }
  if (record.state !== 'completed' || record.response === null) throw held.lose()
  return { output: read(held.open(record.response, 'answer')), kept: true }
}

async function write(
  { store, outbox, sealer }: Setting & { readonly store: TransactionalStore<unknown> },
  transaction: unknown,
  phase: TxStep,
  { context, last }: Step,
  held: Held,
): Promise<Done> {
  const staging = new Staging(phase, held, sealer)
  const output = written(await phase.run(transaction, { ...context, stage: staging.stage }))
  await staging.commit(transaction, outbox)
  context.signal.throwIfAborted()
  const part = store.within(transaction)
  const { name } = phase
  const committed = last
    ? await part.complete(held.holder, held.seal(output, 'answer'))
    : await part.advance(held.holder, { name, output: held.seal(output, `output ${name}`) })
  if (!committed) throw held.lose()
  return { output: read(output), kept: last }
}

async function journaled(
  setting: Setting,
  phase: TxStep,
  { context, last }: Step,
  held: Held,
): Promise<Done> {
  const { sealer, outbox } = setting
  const name = intentName(phase.name)
  await commitPoint(held, { name, output: written({ firstAttemptAt: held.now() }) })
  const staging = new Staging(phase, held, sealer)
  let output: Uint8Array
  try {
    output = written(await phase.run(null, { ...context, stage: staging.stage }))
  } catch (error) {
    // An error says that nothing was done.
    await commitPoint(held, { name, output: written({ firstAttemptAt: null }) })
    throw error
  }
  await staging.commit(null, outbox)
  if (!last) await commitEffect(setting, held, { name: phase.name, output })
  return { output: read(output), kept: false }
}

/** The jobs of a phase. */
class Staging {
  readonly #phase: TxStep
  readonly #held: Held
  readonly #sealer: Sealer
  readonly #jobs: StagedJob[] = []

  constructor(phase: TxStep, held: Held, sealer: Sealer) {
    this.#phase = phase
    this.#held = held
    this.#sealer = sealer
  }

  readonly stage = (name: string, payload: unknown): void => {
    const id = foreignKeyOf(this.#held.recordId, `${this.#phase.name}:job:${this.#jobs.length}`)
    this.#jobs.push({ id, name, payload: this.#sealer.seal(written(payload), jobPlace(id)) })
  }

  async commit(transaction: unknown, outbox: Outbox<unknown> | undefined): Promise<void> {
    if (this.#jobs.length === 0) return
    if (outbox === undefined) {
      throw new IdempotencyError(
        'invalid_option',
        `the phase ${this.#phase.name} stages a job, and there is no outbox; give createIdempotency one`,
      )
    }
    await outbox.stage(transaction, this.#jobs)
  }
}
