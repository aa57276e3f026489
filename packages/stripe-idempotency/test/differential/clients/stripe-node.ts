/** The official client of Stripe for Node, driven by lines of JSON: one call a line, one line for what became of it. */

import { createInterface } from 'node:readline'
import { Stripe } from 'stripe'
import type { Call } from '../official-clients.ts'

for await (const line of createInterface({ input: process.stdin })) {
  const call: Call = JSON.parse(line)
  console.log(JSON.stringify(await answerOf(call)))
}

async function answerOf({ account, port, retries, method, path, params, key }: Call): Promise<object> {
  const stripe = new Stripe(`sk_test_${account}`, {
    host: '127.0.0.1',
    port,
    protocol: 'http',
    maxNetworkRetries: retries,
    telemetry: false,
  })
  try {
    const { id, lastResponse } = await stripe.rawRequest(
      method,
      path,
      { ...params },
      key === undefined ? {} : { idempotencyKey: key },
    )
    return {
      status: lastResponse.statusCode,
      id,
      replayed: lastResponse.headers['idempotent-replayed'] === 'true',
      request: lastResponse.requestId,
      original: lastResponse.headers['original-request'],
    }
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error
    return {
      status: error.statusCode,
      failed: error.type.replace(/^Stripe|Error$/g, '').toLowerCase(),
      message: error.message,
      replayed: error.headers?.['idempotent-replayed'] === 'true',
    }
  }
}
