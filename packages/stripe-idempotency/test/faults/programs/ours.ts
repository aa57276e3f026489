import { writeSync } from 'node:fs'
import {
  applied,
  createIdempotency,
  type Idempotency,
  type IdempotencyStore,
  notApplied,
  type TransactionalStore,
  unknown,
} from '@loadbearing/stripe-idempotency'
import type { BankClient } from './bank-client.ts'
import { beside, enter, following, point } from './points.ts'
import type { ServerSettings } from './settings.ts'
import { answerTo, type Books, type Transfer } from './transfer.ts'

/** A store and what is local to it. */
export interface Backing<Transaction> {
  readonly idempotency: Idempotency<Transaction>
  readonly books: Books<Transaction>
}

/** An instance of this package on a store that tells which phase it is in. */
export function transactional<Transaction>(
  store: TransactionalStore<Transaction>,
  lease: number,
): Idempotency<Transaction> {
  return createIdempotency<Transaction>({ store: marking(store, lease), lease, storeTimeout: '2s' })
}

/** The same on a store without transactions. */
export function plain(store: IdempotencyStore, lease: number): Idempotency {
  return createIdempotency({ store: marking(store, lease), lease, storeTimeout: '2s' })
}

/** Carries transfers out as this package does it. */
export function ours<Transaction>(
  { idempotency, books }: Backing<Transaction>,
  bank: BankClient,
  { lease, retention, completes }: ServerSettings,
): (transfer: Transfer) => Promise<string> {
  const operation = idempotency
    .operation<Transfer>('transfer')
    .tx('debited', async (tx, { input, fence }) => {
      await books.debit(tx, input, fence)
      return null
    })
    .call('credited', {
      retention,
      run: ({ foreignKey, input, fence, signal }) => bank.credit(foreignKey, input, fence, signal),
      reconcile: async ({ foreignKey }) => {
        const credit = await bank.credited(foreignKey)
        if (credit === undefined) return unknown()
        return credit === null ? notApplied() : applied(credit)
      },
    })
    .tx('done', async (tx, { input, fence, prev }) => {
      await books.finish(tx, input, fence)
      return answerTo(input, prev)
    })
  idempotency.on('lease-lost', ({ recordId, fence }) => {
    writeSync(1, `lease lost: ${recordId} ${fence}\n`)
  })
  if (completes) {
    idempotency.worker({ complete: { pickUpAfter: lease, againAfter: lease, every: lease } })
  }
  return (transfer) =>
    following('claim', async () => {
      const { tenant: scope, key } = transfer
      const { value } = await operation.execute({ scope, key, input: transfer })
      enter('reply')
      point('settled')
      return value
    })
}

/** Tells what the store has been told of phases to who counts points. */
function marking<Store extends IdempotencyStore>(store: Store, lease: number): Store {
  const claim = store.claim.bind(store)
  const advance = store.advance.bind(store)
  const renew = store.renew.bind(store)
  return Object.assign(store, {
    async claim(...given: Parameters<typeof claim>) {
      const since = performance.now()
      const answer = await claim(...given)
      // Who has given up on a claim holds nothing, though its answer comes after all, nor who has it when the lease is over.
      const late = given[1]?.signal?.aborted === true || performance.now() - since >= 0.9 * lease
      if (!answer.claimed || late) return answer
      writeSync(1, `claimed: ${answer.record.id} ${answer.record.fence}\n`)
      enter(answer.record.operation === null ? 'handler' : 'debited')
      return answer
    },
    renew: (...given: Parameters<typeof renew>) => beside(() => renew(...given)),
    async advance(...given: Parameters<typeof advance>) {
      const [name = '', intent] = given[1].name.split(':')
      if (intent !== undefined) enter(name)
      const advanced = await advance(...given)
      if (name === 'credited' && intent === undefined) enter('done')
      return advanced
    },
  })
}
