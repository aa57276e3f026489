import { expressIdempotency, nodeIdempotency, ours, type Peer, powertools } from './memory-subjects.ts'
import { charged, keyOf, type Payment, payment } from './payment.ts'

/** A peer as it was measured. */
export interface Measured {
  readonly name: string
  readonly make: () => Peer
}

export const peers: readonly Measured[] = [
  { name: 'ours', make: ours },
  { name: '@node-idempotency/core', make: nodeIdempotency },
  { name: 'Powertools, cache layer', make: powertools },
  { name: 'express-idempotency', make: expressIdempotency },
]

/** What goes wrong with the peer, in words. */
export async function failuresOf({ make }: Measured): Promise<readonly string[]> {
  const failures: string[] = []
  const executions = await executionsAtOnce(make())
  if (executions !== 1) failures.push(`of 20 requests with one key at once ${executions} are carried out`)
  if (await refusesReordered(make()))
    failures.push('the same JSON with its members in another order is refused')
  if (!(await refusesOther(make())))
    failures.push('another amount with the same key is answered as the first')
  return failures
}

/** Work that takes a turn of the event loop, asked for 20 times in the same one. */
async function executionsAtOnce({ once }: Peer): Promise<number> {
  let executions = 0
  const work = async (): Promise<Payment> => {
    executions++
    await new Promise((resolve) => setImmediate(resolve))
    return charged
  }
  const all = Array.from({ length: 20 }, () => once(keyOf(1), work).catch(() => 'refused'))
  // Some peers never answer those that they refuse.
  const turns = (async () => {
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
  })()
  await Promise.race([Promise.all(all), turns])
  return executions
}

async function refusesReordered({ once }: Peer): Promise<boolean> {
  await once(keyOf(2))
  const reordered = Object.fromEntries(Object.entries(payment).toReversed()) as unknown as Payment
  return refuses(once(keyOf(2), undefined, reordered))
}

async function refusesOther({ once }: Peer): Promise<boolean> {
  await once(keyOf(3))
  return refuses(once(keyOf(3), undefined, { ...payment, amount: 1 }))
}

async function refuses(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return false
  } catch {
    return true
  }
}
