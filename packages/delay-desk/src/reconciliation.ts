import type { Payment } from './ledger.ts'

/** Claims and money of one award, by the bank's ledger and by the second count. */
interface Line {
  readonly award: number
  readonly paid: Sum
  readonly owed: Sum
}

export interface Sum {
  readonly claims: number
  readonly amount: number
}

export interface Reconciliation {
  /** One line for each award, the highest first. */
  readonly lines: readonly Line[]
  readonly paid: Sum
  readonly owed: Sum
  /** Claims on which ledger, books and second count do not agree. */
  readonly differing: number
  /** The first of these, each with what is wrong. */
  readonly differences: readonly string[]
}

const SHOWN = 10

/**
 * Holds the payments of the ledger, claim by claim, against what the second count says is owed and against the desk's books.
 *
 * @param books money by claim, as the workers reported them
 * @param owed money by claim, as the second count has them
 */
export function reconcile(
  payments: readonly Payment[],
  books: Uint16Array,
  owed: Uint16Array,
): Reconciliation {
  const amounts = new Float64Array(owed.length)
  const times = new Uint32Array(owed.length)
  const differences: string[] = []
  let differing = 0
  const differ = (text: string): void => {
    differing++
    if (differences.length < SHOWN) differences.push(text)
  }

  if (books.length !== owed.length) differ(`the desk has ${books.length} claims, the file ${owed.length}`)
  for (const [claim, amount] of payments) {
    if (claim >= owed.length) differ(`claim ${claim}: paid ${amount}, and there is no such claim`)
    amounts[claim] = (amounts[claim] ?? 0) + amount
    times[claim] = (times[claim] ?? 0) + 1
  }
  for (let claim = 0; claim < owed.length; claim++) {
    const due = owed[claim] ?? 0
    const got = amounts[claim] ?? 0
    const count = times[claim] ?? 0
    if (count > 1) differ(`claim ${claim}: paid ${count} times, ${got} in all, owed ${due}`)
    else if (got !== due) differ(`claim ${claim}: ${count === 0 ? 'not paid' : `paid ${got}`}, owed ${due}`)
    else if (books[claim] !== due)
      differ(`claim ${claim}: ${books[claim] ?? 0} in the desk's books, owed and paid ${due}`)
  }
  return { ...tally(payments, owed), differing, differences }
}

function tally(
  payments: readonly Payment[],
  owed: Uint16Array,
): Pick<Reconciliation, 'lines' | 'paid' | 'owed'> {
  const paidClaims = new Map<number, number>()
  const owedClaims = new Map<number, number>()
  for (const [, amount] of payments) paidClaims.set(amount, (paidClaims.get(amount) ?? 0) + 1)
  for (const amount of owed) if (amount > 0) owedClaims.set(amount, (owedClaims.get(amount) ?? 0) + 1)
  const awards = [...new Set([...paidClaims.keys(), ...owedClaims.keys()])].toSorted((a, b) => b - a)
  const sum = (counts: ReadonlyMap<number, number>, award: number): Sum => {
    const claims = counts.get(award) ?? 0
    return { claims, amount: claims * award }
  }
  const lines = awards.map((award) => ({ award, paid: sum(paidClaims, award), owed: sum(owedClaims, award) }))
  return { lines, paid: total(lines.map(({ paid }) => paid)), owed: total(lines.map((line) => line.owed)) }
}

function total(sums: readonly Sum[]): Sum {
  return {
    claims: sums.reduce((claims, sum) => claims + sum.claims, 0),
    amount: sums.reduce((amount, sum) => amount + sum.amount, 0),
  }
}
