import { rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Answer, exposedServer, openForDesk } from './exposed-server.ts'
import { Ledger, type Payment, PaymentConflict } from './ledger.ts'
import { holdOnToDesk } from './lifeline.ts'
import { scenarioOf } from './weather.ts'

// The bank, a process of its own: POST /payments pays, GET /payments shows the ledger.

const MOST_BYTES = 1_000_000

/** The folder of the ledger's file, made by the desk; without it the ledger is in memory. */
const [scenario, seed, folder] = process.argv.slice(2)
const ledger = new Ledger(folder === undefined ? ':memory:' : join(folder, 'ledger.sqlite'))
let paid = 0
let replayed = 0

holdOnToDesk(() => {
  ledger[Symbol.dispose]()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

openForDesk(exposedServer('bank', scenarioOf(scenario), Number(seed), '/payments', answer))

async function answer(request: IncomingMessage): ReturnType<Answer> {
  if (request.url !== '/payments') return { status: 404, body: { error: `no ${request.url}` } }
  if (request.method === 'GET') return { status: 200, body: { paid, replayed, payments: ledger.payments() } }
  if (request.method !== 'POST') return { status: 405, body: { error: `no ${request.method}` } }
  if (!(Number(request.headers['content-length']) <= MOST_BYTES)) {
    return { status: 413, body: { error: `more than ${MOST_BYTES} bytes, or no content-length` } }
  }
  const order = readOrder(await text(request))
  if (order === undefined)
    return { status: 400, body: { error: 'expected {worker, payments: [[claim, amount]…]}' } }
  return pay(order)
}

function pay({ worker, payments }: Order): Awaited<ReturnType<Answer>> {
  try {
    const receipt = ledger.pay(worker, payments)
    paid += receipt.paid
    replayed += receipt.replayed
    return { status: 200, body: receipt }
  } catch (error) {
    if (error instanceof PaymentConflict) return { status: 409, body: { error: error.message } }
    throw error
  }
}

interface Order {
  readonly worker: string
  readonly payments: readonly Payment[]
}

function readOrder(body: string): Order | undefined {
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
