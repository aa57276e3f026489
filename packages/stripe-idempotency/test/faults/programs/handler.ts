import { Buffer } from 'node:buffer'
import type { HttpOptions, Idempotency } from '@loadbearing/stripe-idempotency'
import type { Savings } from './on-redis.ts'
import { enter, following, point } from './points.ts'
import { answerTo, type Transfer } from './transfer.ts'

/** Moves money by a handler of an HTTP request, in no phases: what it does is in no transaction with its record. */
export function handled(
  idempotency: Idempotency,
  savings: Savings,
  rerun: HttpOptions['rerun'] & string,
): (transfer: Transfer) => Promise<string> {
  const exchange = idempotency.http({ mode: 'stripe-v1', rerun })
  return (transfer) =>
    following('claim', async () => {
      const request = {
        method: 'POST',
        path: '/savings',
        query: '',
        headers: [
          ['content-type', 'application/json'],
          ['idempotency-key', transfer.key],
        ] as const,
        body: Buffer.from(JSON.stringify(transfer)),
      }
      const { response } = await exchange.answer(request, transfer.tenant, async (execution) => {
        let status = 200
        let body: string
        try {
          body = answerTo(transfer, await savings.save(transfer, execution))
        } catch (error) {
          // The savings have refused it: nothing was done.
          execution.notExecuted()
          status = 503
          body = String(error)
        }
        return { status, headers: [['content-type', 'application/json']], body: Buffer.from(body) }
      })
      enter('reply')
      point('settled')
      if (!(response.body instanceof Uint8Array)) throw new TypeError('the answer of a handler is whole')
      const text = Buffer.from(response.body).toString()
      if (response.status !== 200) throw new Error(text)
      return text
    })
}
