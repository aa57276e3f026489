import { type ContextFields, contextOf, type IDefaultPolicyContext, noFields } from './call-context.ts'
import { type CallSignal, callSignal } from './call-signal.ts'
import type { Event } from './event.ts'
import type { Settled } from './outcome.ts'
import type { IFailureEvent, ISuccessEvent } from './outcome-filter.ts'

/** What all policies can do. */
export interface IPolicy<
  ContextType extends IDefaultPolicyContext = IDefaultPolicyContext,
  AltReturn = never,
> {
  /** For types only: it is never there. */
  readonly _altReturn: AltReturn
  /** A call succeeded. Of a retry: in the end. */
  readonly onSuccess: Event<ISuccessEvent>
  /** A call failed. */
  readonly onFailure: Event<IFailureEvent>
  execute<T>(fn: (context: ContextType) => PromiseLike<T> | T, signal?: AbortSignal): Promise<T | AltReturn>
}

/** What a policy surrounds: the next policy, or the caller's function. */
export type Step<T> = (signal: CallSignal, fields: ContextFields, settled: Settled<T>) => void

/** How one policy runs within another: by callbacks, so that a call has one promise however many there are. */
export const run: unique symbol = Symbol('run')

interface Runner<AltReturn> {
  [run]<T>(step: Step<T>, signal: CallSignal, fields: ContextFields, settled: Settled<T | AltReturn>): void
}

/** A policy of this package. */
export abstract class GuardedPolicy<
  Context extends IDefaultPolicyContext = IDefaultPolicyContext,
  AltReturn = never,
> implements IPolicy<Context, AltReturn>
{
  declare readonly _altReturn: AltReturn
  abstract readonly onSuccess: Event<ISuccessEvent>
  abstract readonly onFailure: Event<IFailureEvent>

  /** @internal */
  abstract [run]<T>(
    step: Step<T>,
    signal: CallSignal,
    fields: ContextFields,
    settled: Settled<T | AltReturn>,
  ): void

  /** Runs `fn` as the policy says. What it returns or throws comes back as it is. */
  execute<T>(fn: (context: Context) => PromiseLike<T> | T, signal?: AbortSignal): Promise<T | AltReturn> {
    // The policies that a call comes through add the fields that their types promise.
    const inContext = fn as (context: IDefaultPolicyContext) => PromiseLike<T> | T
    return promised(
      this,
      (own, fields, settled) => call(() => inContext(contextOf(own, fields)), settled),
      signal,
    )
  }
}

/** Runs `step` within `policy`, from the outside. */
export function promised<T, AltReturn>(
  policy: Runner<AltReturn>,
  step: Step<T>,
  signal: AbortSignal | undefined,
): Promise<T | AltReturn> {
  return new Promise((resolve, reject) => {
    policy[run](step, callSignal(signal), noFields, (outcome) => {
      if ('error' in outcome) reject(outcome.error)
      else resolve(outcome.value)
    })
  })
}

/** Never settles at once: what `work` does at once is over before its outcome counts. */
export function call<T>(work: () => PromiseLike<T> | T, settled: Settled<T>): void {
  let answer: Promise<T>
  try {
    answer = Promise.resolve(work())
  } catch (error) {
    answer = Promise.reject(error)
  }
  answer.then(
    (value) => settled({ value }),
    (error: unknown) => settled({ error }),
  )
}
