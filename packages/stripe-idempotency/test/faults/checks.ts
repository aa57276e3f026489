/** All that was seen of one run, once it has come to rest. */
export interface Seen {
  readonly asked: readonly Asked[]
  readonly ledger: readonly Entry[]
  /** Of all local accounts together, before and after. */
  readonly before: number
  readonly after: number
  readonly credits: readonly Credit[]
  /** Records that are not completed. */
  readonly open: readonly OpenRecord[]
}

/** A transfer, and the definitive answers that its clients had. */
export interface Asked {
  readonly tenant: string
  readonly key: string
  readonly amount: number
  readonly answers: readonly string[]
}

/** A row that a transfer left. */
export interface Entry {
  readonly tenant: string
  readonly key: string
  readonly kind: string
  readonly amount: number
  readonly fence: number
}

/** A line of the bank's log. */
export interface Credit {
  readonly tenant: string
  readonly reference: string
  readonly amount: number
}

export interface OpenRecord {
  readonly tenant: string
  readonly state: string
  readonly why: string | null
}

export interface Violation {
  readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7'
  readonly what: string
}

/** What does not hold of section 6 of the specification. */
export function violationsOf(seen: Seen): readonly Violation[] {
  const found: Violation[] = []
  const find = (invariant: Violation['invariant'], what: string): unknown => found.push({ invariant, what })
  const credited = sum(seen.credits.map(({ amount }) => amount))
  if (seen.before !== seen.after + credited) {
    find('I1', `${seen.before} became ${seen.after} here and ${credited} at the bank`)
  }
  for (const { tenant, key, amount, answers } of seen.asked) {
    const name = `${tenant}/${key}`
    const entries = seen.ledger.filter((each) => each.tenant === tenant && each.key === key)
    const count = (kind: string): number => entries.filter((each) => each.kind === kind).length
    for (const kind of ['debit', 'done']) {
      if (count(kind) > 1) find('I2', `${name}: ${count(kind)} entries ${kind}`)
      if (count(kind) === 0 && answers.length > 0) find('I2', `${name}: answered, and no entry ${kind}`)
    }
    const credits = seen.credits.filter((each) => each.tenant === tenant && each.reference === key)
    if (credits.length > 1) find('I3', `${name}: credited ${credits.length} times`)
    if (credits.length !== count('debit')) {
      find('I3', `${name}: ${count('debit')} debits here, ${credits.length} credits at the bank`)
    }
    if (new Set(answers).size > 1) find('I4', `${name}: answered ${[...new Set(answers)].join(' and ')}`)
    const fences = entries.toSorted((a, b) => (a.kind < b.kind ? -1 : 1)).map(({ fence }) => fence)
    if (fences.some((fence, at) => fence < (fences[at - 1] ?? 0)))
      find('I6', `${name}: fences ${fences.join(', ')}`)
    for (const answer of answers) {
      const said: unknown = JSON.parse(answer)
      if (Reflect.get(Object(said), 'tenant') !== tenant || Reflect.get(Object(said), 'amount') !== amount) {
        find('I7', `${name}: answered ${answer}`)
      }
    }
  }
  for (const { tenant, state, why } of seen.open)
    find('I5', `${tenant}: a record is ${state}${why === null ? '' : `: ${why}`}`)
  return found
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
