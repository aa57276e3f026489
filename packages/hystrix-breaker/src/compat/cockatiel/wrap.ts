import { InvalidOptionError } from '../../errors.ts'
import type { ContextFields, IDefaultPolicyContext } from './call-context.ts'
import { type CallSignal, callSignal } from './call-signal.ts'
import type { Event } from './event.ts'
import { call, GuardedPolicy, type IPolicy, run, type Step } from './guarded-policy.ts'
import type { Settled } from './outcome.ts'
import type { IFailureEvent, ISuccessEvent } from './outcome-filter.ts'

type AnyPolicy = IPolicy<IDefaultPolicyContext, unknown>

export interface IMergedPolicy<A extends IDefaultPolicyContext, B, W extends AnyPolicy[]>
  extends IPolicy<A, B> {
  readonly wrapped: W
}

type MergePolicies<A, B> =
  A extends IPolicy<infer A1, unknown>
    ? B extends IPolicy<infer B1, unknown>
      ? IMergedPolicy<
          A1 & B1,
          A['_altReturn'] | B['_altReturn'],
          B extends IMergedPolicy<never, unknown, infer W>
            ? [A & AnyPolicy, ...W]
            : [A & AnyPolicy, B & AnyPolicy]
        >
      : never
    : never

/** One policy of several, the outermost first. The context of a call has the fields of all of them. */
export function wrap<A extends AnyPolicy>(p1: A): A
export function wrap<A extends AnyPolicy, B extends AnyPolicy>(p1: A, p2: B): MergePolicies<A, B>
export function wrap<A extends AnyPolicy, B extends AnyPolicy, C extends AnyPolicy>(
  p1: A,
  p2: B,
  p3: C,
): MergePolicies<C, MergePolicies<A, B>>
export function wrap<A extends AnyPolicy, B extends AnyPolicy, C extends AnyPolicy, D extends AnyPolicy>(
  p1: A,
  p2: B,
  p3: C,
  p4: D,
): MergePolicies<D, MergePolicies<C, MergePolicies<A, B>>>
export function wrap<
  A extends AnyPolicy,
  B extends AnyPolicy,
  C extends AnyPolicy,
  D extends AnyPolicy,
  E extends AnyPolicy,
>(
  p1: A,
  p2: B,
  p3: C,
  p4: D,
  p5: E,
): MergePolicies<E, MergePolicies<D, MergePolicies<C, MergePolicies<A, B>>>>
export function wrap<C extends IDefaultPolicyContext, A>(...policies: IPolicy<C, A>[]): IPolicy<C, A>
export function wrap(...policies: AnyPolicy[]): AnyPolicy {
  return new MergedPolicy(policies)
}

class MergedPolicy extends GuardedPolicy<IDefaultPolicyContext, unknown> {
  readonly wrapped: readonly AnyPolicy[]
  readonly onSuccess: Event<ISuccessEvent>
  readonly onFailure: Event<IFailureEvent>

  constructor(policies: readonly AnyPolicy[]) {
    super()
    const [outermost] = policies
    if (outermost === undefined) throw new InvalidOptionError('wrap needs at least one policy')
    this.wrapped = policies
    this.onSuccess = outermost.onSuccess
    this.onFailure = outermost.onFailure
  }

  override [run](
    step: Step<unknown>,
    signal: CallSignal,
    fields: ContextFields,
    settled: Settled<unknown>,
  ): void {
    this.#within(0, step, signal, fields, settled)
  }

  #within(
    at: number,
    step: Step<unknown>,
    signal: CallSignal,
    fields: ContextFields,
    settled: Settled<unknown>,
  ): void {
    const policy = this.wrapped[at]
    const next: Step<unknown> = (inner, added, ended) => this.#within(at + 1, step, inner, added, ended)
    if (policy === undefined) step(signal, fields, settled)
    else if (policy instanceof GuardedPolicy) policy[run](next, signal, fields, settled)
    else runOther(policy, next, signal, fields, settled)
  }
}

/** A policy of the caller's own. */
function runOther(
  policy: AnyPolicy,
  step: Step<unknown>,
  signal: CallSignal,
  fields: ContextFields,
  settled: Settled<unknown>,
): void {
  const surrounded = ({ signal: inner, ...added }: IDefaultPolicyContext): Promise<unknown> =>
    new Promise((resolve, reject) => {
      step(callSignal(inner), { ...fields, ...added }, (outcome) => {
        if ('error' in outcome) reject(outcome.error)
        else resolve(outcome.value)
      })
    })
  call(() => policy.execute(surrounded, signal.signal), settled)
}
