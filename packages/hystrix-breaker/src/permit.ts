/** Leave for one call, of the generation that gave it. It settles once; the circuit that gave it keeps the books. */
export class Permit {
  readonly generation: number
  readonly kind: 'call' | 'probe'
  /** Monotonic milliseconds. */
  readonly startedAt: number
  /** @internal */
  settled = false

  /** @internal */
  constructor(generation: number, kind: 'call' | 'probe', startedAt: number) {
    this.generation = generation
    this.kind = kind
    this.startedAt = startedAt
  }
}
