import { award } from './award.ts'
import { greatCircle } from './great-circle.ts'
import type { Payment } from './ledger.ts'
import type { Batch, Start } from './messages.ts'
import { Bank } from './payment.ts'
import { serveDesk } from './serve-desk.ts'

// A worker, a process of its own: decides the claims of each batch, pays them, then reports the batch.

let bank: Bank | undefined

serveDesk(async (batch, start, halt) => {
  if (batch.halt === 'taken') await halt()
  const awards = decide(batch, start)
  const payments: Payment[] = []
  for (const [at, amount] of awards.entries()) {
    if (amount > 0) payments.push([batch.claims[at] ?? 0, amount])
  }
  bank ??= new Bank(start.bank)
  if (payments.length > 0) await bank.pay(start.worker, payments)
  if (batch.halt === 'paid') await halt()
  return { awards }
})

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
