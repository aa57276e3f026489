import { greatCircle } from './great-circle.ts'
import { GuardedServices } from './guarded.ts'
import type { Payment } from './ledger.ts'
import type { Batch, Start } from './messages.ts'
import { award, leastDelay } from './policy.ts'
import { serveDesk } from './serve-desk.ts'

// A worker, a process of its own: decides the claims of each batch, pays them, then reports the batch.

let services: GuardedServices | undefined

serveDesk(async (batch, start, halt) => {
  if (batch.halt === 'taken') await halt()
  services ??= new GuardedServices(start)
  const awards = await decide(batch, start, services)
  const payments: Payment[] = []
  for (const [at, amount] of awards.entries()) {
    if (amount > 0) payments.push([batch.claims[at] ?? 0, amount])
  }
  if (payments.length > 0) await services.pay(payments)
  if (batch.halt === 'paid') await halt()
  return { awards, calls: services.tallies }
})

/** The awards of a batch. Only claims that may earn something are looked up in the airline's records. */
async function decide(batch: Batch, start: Start, airline: GuardedServices): Promise<Uint16Array> {
  const { claims, delays, origins, destinations } = batch
  const { latitudes, longitudes, policy } = start
  const awards = new Uint16Array(claims.length)
  const least = leastDelay(policy)
  const places = [...claims.keys()].filter((at) => (delays[at] ?? 0) >= least)
  const confirmed = await airline.delays(
    places.map((at) => claims[at] ?? 0),
    places.map((at) => delays[at] ?? 0),
  )
  for (const [n, at] of places.entries()) {
    awards[at] = award(policy, confirmed[n] ?? 0, () => {
      const from = origins[at] ?? 0
      const to = destinations[at] ?? 0
      return greatCircle(latitudes[from] ?? 0, longitudes[from] ?? 0, latitudes[to] ?? 0, longitudes[to] ?? 0)
    })
  }
  return awards
}
