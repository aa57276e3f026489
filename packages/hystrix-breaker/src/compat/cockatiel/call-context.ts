import type { CallSignal } from './call-signal.ts'

export interface IDefaultPolicyContext {
  /** Aborted when the call is given up. Where there is no other one it is made when it is looked at. */
  signal: AbortSignal
}

/** What is in a context beside the signal. */
export type ContextFields = Readonly<Record<string, unknown>>

export const noFields: ContextFields = {}

/** The caller's own view of a call. It can be spread. */
export function contextOf<Fields extends object>(
  signal: CallSignal,
  fields: Fields,
): Fields & IDefaultPolicyContext {
  return Object.assign(new CallContext(signal), fields)
}

class CallContext implements IDefaultPolicyContext {
  declare readonly signal: AbortSignal
  readonly #signal: CallSignal
  // One for all: an accessor of its own would cost each context as much as the rest of the call.
  static readonly #own: PropertyDescriptor & ThisType<CallContext> = {
    enumerable: true,
    configurable: true,
    get() {
      return this.#signal.signal
    },
  }

  constructor(signal: CallSignal) {
    this.#signal = signal
    Object.defineProperty(this, 'signal', CallContext.#own)
  }
}
