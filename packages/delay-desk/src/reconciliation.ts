import type { Booking } from './books.ts'

/** A claim and what was paid for it, in whole units of the currency. */
export type Payment = readonly [claim: number, amount: number]

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

/** The same money, written down four times. */
export interface Accounts {
  /** The bank's ledger. */
  readonly ledger: readonly Payment[]
  /** The desk's books. */
  readonly bookings: readonly Booking[]
  /** Money by claim, as the workers reported it. */
  readonly reported: Uint16Array
  /** Money by claim, as the second count has it. */
  readonly owed: Uint16Array
}

export interface Reconciliation {
  /** One line for each award, the highest first. */
  readonly lines: readonly Line[]
  readonly paid: Sum
  readonly owed: Sum
  /** Claims on which ledger, books, reports and second count do not agree. */
  readonly differing: number
  /** The first of these, each with what is wrong. */
  readonly differences: readonly string[]
}

const SHOWN = 10

/** Holds the bank's ledger, claim by claim, against what is owed, what was reported and what the desk has in its books. */
export function reconcile({ ledger, bookings, reported, owed }: Accounts): Reconciliation {
  const found = new Differences()
  const amounts = new Float64Array(owed.length)
  const times = new Uint32Array(owed.length)
  if (reported.length !== owed.length)
    found.add(`the desk has ${reported.length} claims, the file ${owed.length}`)
  for (const [claim, amount] of ledger) {
    if (claim >= owed.length) found.add(`claim ${claim}: paid ${amount}, and there is no such claim`)
    amounts[claim] = (amounts[claim] ?? 0) + amount
    times[claim] = (times[claim] ?? 0) + 1
  }
  const booked = bookedBy(bookings)
  for (const claim of booked.keys())
    if (claim >= owed.length) found.add(`claim ${claim}: in the desk's books, and there is no such claim`)
  for (let claim = 0; claim < owed.length; claim++) {
    const due = owed[claim] ?? 0
    const got = amounts[claim] ?? 0
    const count = times[claim] ?? 0
    const entry = booked.get(claim)
    if (count > 1) found.add(`claim ${claim}: paid ${count} times, ${got} in all, owed ${due}`)
    else if (got !== due)
      found.add(`claim ${claim}: ${count === 0 ? 'not paid' : `paid ${got}`}, owed ${due}`)
    else if (reported[claim] !== due)
      found.add(`claim ${claim}: ${reported[claim] ?? 0} by its worker's report, owed and paid ${due}`)
    else if ((entry?.transfer == null ? 0 : entry.amount) !== due)
      found.add(`claim ${claim}: ${shown(entry)} in the desk's books, owed and paid ${due}`)
  }
  return { ...tally(ledger, owed), differing: found.count, differences: found.first }
}

/** A claim on which the bank's ledger and the desk's books do not say the same. */
export interface Disagreement {
  readonly claim: number
  /** What each of them says. */
  readonly text: string
  readonly paidByBank: boolean
}

/** Holds the bank's ledger against the desk's books: once for each claim, and the same money. */
export function compareBooks(ledger: readonly Payment[], bookings: readonly Booking[]): Disagreement[] {
  const paid = new Map<number, number[]>()
  for (const [claim, amount] of ledger) paid.set(claim, [...(paid.get(claim) ?? []), amount])
  const booked = bookedBy(bookings)
  const claims = [...new Set([...paid.keys(), ...booked.keys()])].toSorted((a, b) => a - b)
  return claims.flatMap((claim) => {
    const amounts = paid.get(claim) ?? []
    const entry = booked.get(claim)
    const [amount] = amounts
    if (amounts.length === 1 && typeof entry?.transfer === 'string' && entry.amount === amount) return []
    const bank = amounts.length === 0 ? 'has not paid it' : `has paid ${amounts.join(' and ')}`
    const text = `claim ${claim}: the bank ${bank}, the desk's books have ${shown(entry)}`
    return [{ claim, text, paidByBank: amounts.length > 0 }]
  })
}

function bookedBy(bookings: readonly Booking[]): ReadonlyMap<number, Booking> {
  return new Map(bookings.map((booking) => [booking.claim, booking]))
}

function shown(booking: Booking | undefined): string {
  if (booking === undefined) return 'nothing'
  return booking.transfer === null ? `${booking.amount} being paid` : `${booking.amount} paid`
}

class Differences {
  count = 0
  readonly first: string[] = []

  add(text: string): void {
    this.count++
    if (this.first.length < SHOWN) this.first.push(text)
  }
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
