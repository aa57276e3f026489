/** Leave for one call, of the generation that gave it. It settles once; the circuit that gave it keeps the books. */
export class Permit {
  /** @internal */
  settled = false
  /** Of the circuit, when it gave this. */
  readonly generation: number = -1
  /** @internal */
  readonly isProbe: boolean = false
  /** Monotonic milliseconds. */
  readonly startedAt: number = 0

  get kind(): 'call' | 'probe' {
    return this.isProbe ? 'probe' : 'call'
  }
}

/** What a circuit writes on a permit: when it gives it, and when it settles. */
export interface PermitFields {
  settled: boolean
  /** -1 before it is given. */
  generation: number
  isProbe: boolean
  startedAt: number
}
