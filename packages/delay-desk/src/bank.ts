import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { reasonOf } from './errors.ts'
import { type Answer, exposedServer, openForDesk } from './exposed-server.ts'
import { type Ledger, type Payment, PaymentConflict } from './ledger.ts'
import { holdOnToDesk, tellDesk } from './lifeline.ts'
import { type BankStart, isBankStart } from './messages.ts'
import { PostgresLedger } from './postgres-ledger.ts'
import { SqliteLedger } from './sqlite-ledger.ts'

// The bank, a process of its own: POST /payments pays, GET /payments shows the ledger.

const MOST_BYTES = 1_000_000

let close = async (): Promise<void> => {}
holdOnToDesk(() => close())
process.once('message', (message: unknown) => {
  if (!isBankStart(message)) throw new TypeError('expected where the ledger is')
  open(message).catch((error: unknown) => tellDesk({ kind: 'failed', why: `its ledger: ${reasonOf(error)}` }))
})

async function open({ ledger: place, fortune, seed }: BankStart): Promise<void> {
  const ledger = 'folder' in place ? openFile(place.folder) : await PostgresLedger.open(place.server)
  close = async () => {
    await ledger[Symbol.asyncDispose]()
    if ('folder' in place && place.folder !== null) rmSync(place.folder, { recursive: true, force: true })
  }
  openForDesk(exposedServer('bank', fortune, seed, '/payments', counterOf(ledger)))
}

function openFile(folder: string | null): Ledger {
  return new SqliteLedger(folder === null ? ':memory:' : join(folder, 'ledger.sqlite'))
}

function counterOf(ledger: Ledger): Answer {
  let paid = 0
  let replayed = 0
  return async (request) => {
    if (request.url !== '/payments') return { status: 404, body: { error: `no ${request.url}` } }
    if (request.method === 'GET') {
      return { status: 200, body: { paid, replayed, payments: await ledger.payments() } }
    }
    if (request.method !== 'POST') return { status: 405, body: { error: `no ${request.method}` } }
    if (!(Number(request.headers['content-length']) <= MOST_BYTES)) {
      return { status: 413, body: { error: `more than ${MOST_BYTES} bytes, or no content-length` } }
    }
    const order = readOrder(await text(request))
    if (order === undefined)
      return { status: 400, body: { error: 'expected {worker, payments: [[claim, amount]…]}' } }
    try {
      const receipt = await ledger.pay(order.worker, order.payments)
      paid += receipt.paid
      replayed += receipt.replayed
      return { status: 200, body: receipt }
    } catch (error) {
      if (error instanceof PaymentConflict) return { status: 409, body: { error: error.message } }
      throw error
    }
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
