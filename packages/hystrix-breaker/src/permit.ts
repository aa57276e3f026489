/** Leave for one call, of the generation that gave it. It settles once; the circuit that gave it keeps the books. */
export class Permit {
  /** @internal */
  settled = false
  #generation = -1
  #isProbe = false
  #startedAt = 0

  get generation(): number {
    return this.#generation
  }

  /** @internal Whether it was given. */
  get admitted(): boolean {
    return this.#generation >= 0
  }

  /** @internal */
  get isProbe(): boolean {
    return this.#isProbe
  }

  get kind(): 'call' | 'probe' {
    return this.#isProbe ? 'probe' : 'call'
  }

  /** Monotonic milliseconds. */
  get startedAt(): number {
    return this.#startedAt
  }

  /** @internal */
  give(generation: number, kind: 'call' | 'probe', startedAt: number): this {
    this.#generation = generation
    this.#isProbe = kind === 'probe'
    this.#startedAt = startedAt
    return this
  }
}
