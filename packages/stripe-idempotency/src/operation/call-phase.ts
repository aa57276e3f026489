import type { Held } from '../execution.ts'
import { commitEffect, commitPoint } from './commit-point.ts'
import { foreignKeyOf } from './foreign-key.ts'
import { intentName, read, written } from './journal.ts'
import type { CallContext, CallStep } from './phase.ts'
import { mayCallAgain } from './retention.ts'
import { type Done, InDoubt, type Setting, type Step } from './step.ts'

/**
 * Calls somebody else, with the intent committed before and the result after, and no connection held meanwhile. Once the
 * other side may have forgotten the key of an earlier attempt it is not called but asked what became of it.
 *
 * @throws InDoubt where nobody knows
 */
export async function performCall(
  setting: Setting,
  phase: CallStep,
  { context, intent, last }: Step,
  held: Held,
): Promise<Done> {
  const foreign = { ...context, foreignKey: foreignKeyOf(held.recordId, phase.name) }
  let since = intent?.firstAttemptAt ?? null
  let known: { readonly value: unknown } | undefined
  if (since !== null && !mayCallAgain(since, phase.retention, held.now())) {
    known = await reconcile(phase, foreign)
    if (known === undefined) since = null
  }
  if (since === null) {
    const output = written({ firstAttemptAt: held.now() })
    await commitPoint(held, { name: intentName(phase.name), output })
  }
  context.signal.throwIfAborted()
  // The other side knows no fences: this is the last moment to see that somebody else may be at it.
  held.ensure()
  const output = written(known === undefined ? await phase.run(foreign) : known.value)
  // The last output is kept as the answer.
  if (!last) await commitEffect(setting, held, { name: phase.name, output })
  return { output: read(output), kept: false }
}

/** Undefined: it did not take effect. */
async function reconcile(
  phase: CallStep,
  context: CallContext<unknown, unknown, unknown>,
): Promise<{ readonly value: unknown } | undefined> {
  const found = await phase.reconcile?.(context)
  if (found?.verdict === 'applied') return found
  if (found?.verdict === 'notApplied') return undefined
  throw new InDoubt(
    `the phase ${phase.name} was attempted, and the other side may have forgotten its key ${context.foreignKey}`,
  )
}
