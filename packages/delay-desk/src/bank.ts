import { rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { reasonOf } from './errors.ts'
import { Ledger, type Payment, PaymentConflict } from './ledger.ts'
import { holdOnToDesk, tellDesk } from './lifeline.ts'

// The bank, a process of its own: POST /payments pays, GET /payments shows the ledger.

const MOST_BYTES = 1_000_000

/** The folder of the ledger's file, made by the desk; without it the ledger is in memory. */
const [folder] = process.argv.slice(2)
const ledger = new Ledger(folder === undefined ? ':memory:' : join(folder, 'ledger.sqlite'))
let paid = 0
let replayed = 0

holdOnToDesk(() => {
  ledger[Symbol.dispose]()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    reply(response, error instanceof PaymentConflict ? 409 : 500, { error: reasonOf(error) })
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') tellDesk({ kind: 'open', url: `http://127.0.0.1:${address?.port}` })
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url !== '/payments') return reply(response, 404, { error: `no ${request.url}` })
  if (request.method === 'GET') return reply(response, 200, { paid, replayed, payments: ledger.payments() })
  if (request.method !== 'POST') return reply(response, 405, { error: `no ${request.method}` })
  if (!(Number(request.headers['content-length']) <= MOST_BYTES)) {
    return reply(response, 413, { error: `more than ${MOST_BYTES} bytes, or no content-length` })
  }
  const order = readOrder(await text(request))
  if (order === undefined)
    return reply(response, 400, { error: 'expected {worker, payments: [[claim, amount]…]}' })
  const receipt = ledger.pay(order.worker, order.payments)
  paid += receipt.paid
  replayed += receipt.replayed
  reply(response, 200, receipt)
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function readOrder(body: string): { worker: string; payments: Payment[] } | undefined {
  let order: unknown
  try {
    order = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof order !== 'object' || order === null || !('worker' in order) || !('payments' in order))
    return undefined
  const { worker, payments } = order
  if (typeof worker !== 'string' || !Array.isArray(payments)) return undefined
  return payments.every(isPayment) ? { worker, payments } : undefined
}

function isPayment(value: unknown): value is Payment {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((part) => Number.isSafeInteger(part) && part >= 0)
  )
}
