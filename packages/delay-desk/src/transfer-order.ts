import type { Order } from './ledger.ts'

/** What is wrong with the parameters of a request, as Stripe says it. */
export interface Fault {
  readonly code: 'parameter_missing' | 'parameter_unknown' | 'parameter_invalid_integer' | 'parameter_invalid'
  readonly param: string
  readonly message: string
}

const known = new Set(['amount', 'currency', 'destination', 'transfer_group'])

/** Reads the form of `POST /v1/transfers`. (docs.stripe.com/api/transfers/create) */
export function readOrder(form: URLSearchParams): Order | Fault {
  const metadata: [string, string][] = []
  for (const [name, value] of form) {
    const [, key] = /^metadata\[([^[\]]{1,40})\]$/.exec(name) ?? []
    if (key !== undefined) metadata.push([key, value])
    else if (!known.has(name))
      return { code: 'parameter_unknown', param: name, message: `Received unknown parameter: ${name}` }
  }
  for (const param of ['amount', 'currency', 'destination']) {
    if (!form.get(param))
      return { code: 'parameter_missing', param, message: `Missing required param: ${param}.` }
  }
  const amount = form.get('amount') ?? ''
  const currency = form.get('currency') ?? ''
  if (!/^[1-9]\d{0,9}$/.test(amount)) {
    const message = `Invalid positive integer: ${amount.slice(0, 20)}`
    return { code: 'parameter_invalid_integer', param: 'amount', message }
  }
  if (!/^[a-z]{3}$/.test(currency))
    return {
      code: 'parameter_invalid',
      param: 'currency',
      message: `Invalid currency: ${currency.slice(0, 20)}`,
    }
  return {
    amount: Number(amount),
    currency,
    destination: form.get('destination') ?? '',
    transferGroup: form.get('transfer_group'),
    metadata: Object.fromEntries(metadata),
  }
}
