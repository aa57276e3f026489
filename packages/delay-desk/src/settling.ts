import { Access } from './access.ts'
import type { TransferOrder } from './bank-line.ts'
import { Cashier } from './cashier.ts'
import { greatCircle } from './great-circle.ts'
import { GuardedServices } from './guarded.ts'
import type { Batch, Start } from './messages.ts'
import { award, leastDelay } from './policy.ts'
import type { Settle } from './serve-desk.ts'

/**
 * What a worker does with a batch: decides its claims, pays them, then reports. Whoever sees, approves or pays one is asked of
 * zanzibar.
 *
 * @param timeLimit of a call to the airline or the bank. Default: a quarter of a second
 */
export async function settling(start: Start, timeLimit?: string): Promise<Settle> {
  const services = new GuardedServices(start, timeLimit)
  const cashier = new Cashier(start, services)
  const staff = await Access.open(start.roster)
  return async (batch, halt) => {
    const { claims, origins, halt: at } = batch
    if (at === 'taken') await halt()
    await staff.see(claims, origins)
    const awards = await decide(batch, start, services)
    const orders: TransferOrder[] = []
    for (const [place, amount] of awards.entries()) {
      if (amount > 0) orders.push({ claim: claims[place] ?? 0, amount, currency: start.policy.iso })
    }
    await staff.approve(orders)
    const uncertain = await cashier.pay(orders, { at, stop: halt })
    // A batch may have nothing to pay, to stop in the middle of.
    if (at !== undefined && at !== 'taken') await halt()
    return {
      awards,
      uncertain,
      calls: services.tallies,
      payments: cashier.tally,
      decisions: staff.takeDecisions(),
    }
  }
}

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
