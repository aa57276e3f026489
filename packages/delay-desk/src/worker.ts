import { award } from './award.ts'
import { reasonOf } from './errors.ts'
import { greatCircle } from './great-circle.ts'
import type { Payment } from './ledger.ts'
import { holdOnToDesk, tellDesk } from './lifeline.ts'
import { type Batch, isFromDesk, type Start } from './messages.ts'
import { Bank } from './payment.ts'

// A worker, a process of its own: decides the claims of each batch, pays them, then reports the batch.

let desk: (Start & { readonly account: Bank }) | undefined
let halted = false
let work = Promise.resolve()

holdOnToDesk()
process.on('message', (message: unknown) => {
  if (!isFromDesk(message)) return
  if (message.kind === 'start') {
    desk = { ...message, account: new Bank(message.bank) }
    tellDesk({ kind: 'ready' })
  } else
    work = work
      .then(() => settle(message))
      .catch((error: unknown) => tellDesk({ kind: 'failed', reason: reasonOf(error) }))
})

async function settle(batch: Batch): Promise<void> {
  if (desk === undefined || halted) return
  if (batch.halt === 'taken') return halt()
  const awards = decide(batch, desk)
  const payments: Payment[] = []
  for (const [at, amount] of awards.entries()) {
    if (amount > 0) payments.push([batch.claims[at] ?? 0, amount])
  }
  if (payments.length > 0) await desk.account.pay(desk.worker, payments)
  if (batch.halt === 'paid') return halt()
  tellDesk({ kind: 'report', number: batch.number, awards })
}

function decide({ delays, origins, destinations }: Batch, { latitudes, longitudes }: Start): Uint16Array {
  const awards = new Uint16Array(delays.length)
  for (let at = 0; at < delays.length; at++) {
    awards[at] = award(delays[at] ?? 0, () => {
      const from = origins[at] ?? 0
      const to = destinations[at] ?? 0
      return greatCircle(latitudes[from] ?? 0, longitudes[from] ?? 0, latitudes[to] ?? 0, longitudes[to] ?? 0)
    })
  }
  return awards
}

/** Stands still, as if in the midst of its work, until it is killed. */
function halt(): void {
  halted = true
  tellDesk({ kind: 'halted' })
}
