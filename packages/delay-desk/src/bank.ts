import { rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createIdempotency } from '@loadbearing/stripe-idempotency'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { type DeathPoint, deathOf } from './bank-deaths.ts'
import { reasonOf } from './errors.ts'
import { exposedServer, openForDesk } from './exposed-server.ts'
import { Ledger } from './ledger.ts'
import { holdOnToDesk, tellDesk } from './lifeline.ts'
import { type BankStart, isBankStart, isClosing } from './messages.ts'
import { dropBooks } from './open-books.ts'
import { stripeApi } from './stripe-api.ts'

// The bank, a process of its own: POST /v1/transfers pays, GET /v1/transfers shows the ledger, with Stripe's contract.

/** For how much longer than promised it keeps a key: a call that was sent in time may take this long to arrive. */
const GRACE_MS = 60_000

let close = async (): Promise<void> => {}
holdOnToDesk(() => close())
process.once('message', (message: unknown) => {
  if (!isBankStart(message)) throw new TypeError('expected how the bank is to fare')
  try {
    open(message)
  } catch (error) {
    tellDesk({ kind: 'failed', why: `its ledger: ${reasonOf(error)}` })
  }
})

function open({ folder, takesAway, nature, seed, life, port, closed }: BankStart): void {
  const { fortune, dies, retention, lookups } = nature
  const ledger = new DatabaseSync(join(folder, 'bank-ledger.sqlite'))
  const keys = new DatabaseSync(join(folder, 'bank-keys.sqlite'))
  // The bank is one process, and nobody else reads its files while it lives.
  keys.exec('PRAGMA locking_mode = EXCLUSIVE')
  const idempotency = createIdempotency({
    store: sqliteStore({ database: keys }),
    lease: '1s',
    ttl: retention + GRACE_MS,
  })
  keys.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 10000')
  close = async () => {
    ledger.close()
    keys.close()
    if (takesAway === null) return
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    await dropBooks(takesAway)
  }

  let dayIsOver = closed
  process.on('message', (message: unknown) => {
    if (isClosing(message)) dayIsOver = true
  })
  const answer = stripeApi({
    ledger: new Ledger(ledger),
    // To begin again with a record does no harm: the ledger has one transfer for each.
    exchange: idempotency.http({ mode: 'stripe-v1', rerun: 'safe' }),
    searchable: () => dayIsOver || lookups === 'always',
    pass: mortal(deathOf(dies, seed, life)),
  })
  const isReadAtNight = ({ method }: IncomingMessage): boolean => method === 'GET' && dayIsOver
  openForDesk(exposedServer('bank', fortune, seed, isReadAtNight, answer), port)
}

/** Dies at the place that was drawn, after as many requests. */
function mortal(death: ReturnType<typeof deathOf>): (point: DeathPoint) => void {
  let received = 0
  return (point) => {
    if (death === undefined) return
    if (point === 'received') received++
    if (received > death.after && point === death.at) process.kill(process.pid, 'SIGKILL')
  }
}
