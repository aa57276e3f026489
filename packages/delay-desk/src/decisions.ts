/** What somebody may do with a claim. */
export type Action = (typeof actions)[number]
const actions = ['see', 'approve', 'pay'] as const

/** Answers of zanzibar, as columns in the order of the questions. */
export interface Decisions {
  readonly claims: Uint32Array
  /** Places in the roster. */
  readonly people: Uint32Array
  /** The action's place, doubled, and 1 more where it was allowed. */
  readonly verdicts: Uint8Array
  /** What the check took. */
  readonly micros: Float32Array
}

/** One of them. */
export interface Decision {
  readonly claim: number
  readonly person: string
  readonly action: Action
  readonly allowed: boolean
}

export const noDecisions: Decisions = {
  claims: new Uint32Array(),
  people: new Uint32Array(),
  verdicts: new Uint8Array(),
  micros: new Float32Array(),
}

/** Writes decisions down until they are taken. */
export class DecisionLog {
  readonly #claims: number[] = []
  readonly #people: number[] = []
  readonly #verdicts: number[] = []
  readonly #micros: number[] = []

  add(claim: number, person: number, action: Action, allowed: boolean, micros: number): void {
    this.#claims.push(claim)
    this.#people.push(person)
    this.#verdicts.push(actions.indexOf(action) * 2 + Number(allowed))
    this.#micros.push(micros)
  }

  /** All that were added since the last time. */
  take(): Decisions {
    return {
      claims: Uint32Array.from(this.#claims.splice(0)),
      people: Uint32Array.from(this.#people.splice(0)),
      verdicts: Uint8Array.from(this.#verdicts.splice(0)),
      micros: Float32Array.from(this.#micros.splice(0)),
    }
  }
}

export function isDecisions(value: object): value is Decisions {
  const { claims, people, verdicts, micros }: Partial<Record<string, unknown>> = { ...value }
  return (
    claims instanceof Uint32Array &&
    people instanceof Uint32Array &&
    verdicts instanceof Uint8Array &&
    micros instanceof Float32Array &&
    [people, verdicts, micros].every(({ length }) => length === claims.length)
  )
}

/** One after the other, as often as is asked. */
export function decided(parts: readonly Decisions[], people: readonly string[]): Iterable<Decision> {
  return { [Symbol.iterator]: () => rows(parts, people) }
}

function* rows(
  parts: readonly Decisions[],
  people: readonly string[],
): Generator<Decision, undefined, undefined> {
  for (const { claims, people: persons, verdicts } of parts) {
    for (const [at, claim] of claims.entries()) {
      const verdict = verdicts[at] ?? 0
      const person = people[persons[at] ?? -1] ?? `person ${persons[at]}`
      yield { claim, person, action: actions[verdict >> 1] ?? 'see', allowed: verdict % 2 === 1 }
    }
  }
}

/** How many there were, and how fast. */
export interface DecisionTally {
  readonly asked: number
  readonly denied: number
  /** Of these, by what was not to be done. */
  readonly deniedTo: Readonly<Record<Action, number>>
  /** Microseconds. */
  readonly p50: number
  readonly p99: number
}

export function tallyOf(parts: readonly Decisions[]): DecisionTally {
  const deniedTo = { see: 0, approve: 0, pay: 0 }
  const asked = parts.reduce((sum, { claims }) => sum + claims.length, 0)
  const sorted = new Float32Array(asked)
  let from = 0
  for (const { verdicts, micros } of parts) {
    sorted.set(micros, from)
    from += micros.length
    for (const verdict of verdicts) if (verdict % 2 === 0) deniedTo[actions[verdict >> 1] ?? 'see']++
  }
  sorted.sort()
  const quantile = (q: number): number => sorted[Math.min(asked - 1, Math.floor(asked * q))] ?? 0
  const denied = deniedTo.see + deniedTo.approve + deniedTo.pay
  return { asked, denied, deniedTo, p50: quantile(0.5), p99: quantile(0.99) }
}
