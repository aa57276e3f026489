/** What is asked and answered: 222 bytes of JSON each. */
export interface Payment {
  readonly amount: number
  readonly currency: string
  readonly customer: string
  readonly description: string
  readonly metadata: Readonly<Record<string, string>>
}

export const payment: Payment = {
  amount: 2000,
  currency: 'usd',
  customer: 'cus_NffrFeUfNV2Hib',
  description: 'Compensation for the delay of flight AA 1017 of 3 January 2001, 187 minutes late',
  metadata: { claim: 'clm_000000000017', desk: 'delay-desk', attempt: '1' },
}

export const charged: Payment & { readonly id: string } = { id: 'ch_3MmlLrLkdIwHu7ix', ...payment }

/** Hexadecimal, made beforehand, so that keys cost nothing where they are timed. */
const beginnings = Array.from({ length: 4096 }, (_, n) =>
  (Math.imul(n + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0'),
)

/** Keys as clients make them: 36 characters, so that one made later may stand before. The last twelve are `n`. */
export function keyOf(n: number): string {
  return `${beginnings[n % beginnings.length]}-40d5-43e8-bc93-${String(n).padStart(12, '0')}`
}
