export interface LedgerViolation {
  readonly key: string
  readonly problem: /** It took effect more than once. */
    | 'duplicated'
    /** It took effect, but nobody asked for it. */
    | 'unrequested'
    /** It took effect, but the caller was told that it did not. */
    | 'refused-but-done'
    /** The caller was told that it took effect, but it did not. */
    | 'acknowledged-but-lost'
    /** It was asked for and not refused, but it never took effect. */
    | 'missing'
  /** How often it took effect. */
  readonly effects: number
}

/** What was asked for and what took effect, by key, each reported from where it is known for certain. */
export class Ledger {
  readonly #requested = new Set<string>()
  readonly #acknowledged = new Set<string>()
  readonly #refused = new Set<string>()
  readonly #effects = new Map<string, number>()

  /** A caller asks for `key`; retries of the same work have the same key. */
  request(key: string): void {
    this.#requested.add(key)
  }

  /** The caller was told: done. */
  acknowledge(key: string): void {
    this.#acknowledged.add(key)
  }

  /** The caller was told: not done, and never will be. */
  refuse(key: string): void {
    this.#refused.add(key)
  }

  /** It took effect: to be called where the effect is, not where it is asked for. */
  effect(key: string): void {
    this.#effects.set(key, (this.#effects.get(key) ?? 0) + 1)
  }

  /** Nothing took effect twice, unasked or against the answer given; empty when that holds. */
  atMostOnce(): LedgerViolation[] {
    const violations: LedgerViolation[] = []
    for (const [key, effects] of this.#effects) {
      if (effects > 1) violations.push({ key, problem: 'duplicated', effects })
      if (!this.#requested.has(key)) violations.push({ key, problem: 'unrequested', effects })
      if (this.#refused.has(key)) violations.push({ key, problem: 'refused-but-done', effects })
    }
    for (const key of this.#acknowledged) {
      if (!this.#effects.has(key)) violations.push({ key, problem: 'acknowledged-but-lost', effects: 0 })
    }
    return violations
  }

  /** As {@link Ledger.atMostOnce}, and all that was asked for and not refused took effect. Ask when all has come to rest. */
  exactlyOnce(): LedgerViolation[] {
    const violations = this.atMostOnce()
    for (const key of this.#requested) {
      if (this.#effects.has(key) || this.#refused.has(key) || this.#acknowledged.has(key)) continue
      violations.push({ key, problem: 'missing', effects: 0 })
    }
    return violations
  }
}
