import { crashPoint } from '@loadbearing/harness/faults'
import { applied, createIdempotency, notApplied } from '@loadbearing/stripe-idempotency'
import { type PostgresQuerier, postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import type { Pool } from 'pg'
import type { Effects, Transfer } from './transfer.ts'

/** Carries transfers out as this package does it. */
export async function ours(
  pool: Pool,
  { debit, finish, credit, credited }: Effects,
  lease: number,
): Promise<(transfer: Transfer) => Promise<string>> {
  const store = crashing(postgresStore({ pool }))
  await store.migrate()
  const idempotency = createIdempotency<PostgresQuerier>({ store, lease, storeTimeout: '2s' })
  const operation = idempotency
    .operation<Transfer>('transfer')
    .tx('debited', async (tx, { input, fence }) => {
      await debit(tx, input, fence)
      crashPoint('debit')
    })
    .call('credited', {
      retention: '10m',
      run: async ({ foreignKey, input, signal }) => {
        crashPoint('bank.before')
        const answer = await credit(foreignKey, input, signal)
        crashPoint('bank.after')
        return answer
      },
      reconcile: async ({ foreignKey }) => {
        const answer = await credited(foreignKey)
        return answer === undefined ? notApplied() : applied(answer)
      },
    })
    .tx('done', async (tx, { input, fence, prev }) => {
      await finish(tx, input, fence)
      crashPoint('done')
      return { tenant: input.tenant, amount: input.amount, credit: prev }
    })
  idempotency.worker({ complete: { pickUpAfter: lease, againAfter: lease, every: lease } })
  return async (transfer) => {
    const { tenant: scope, key } = transfer
    const { value } = await operation.execute({ scope, key, input: transfer })
    crashPoint('reply')
    return JSON.stringify(value)
  }
}

/** Each call of the store is a place to die before and after. */
function crashing<Store extends object>(store: Store): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      if (typeof name !== 'string' || ['isTransient', 'watch', 'migrate'].includes(name))
        return method.bind(target)
      if (name === 'within')
        return (...given: unknown[]) => crashing(Object(Reflect.apply(method, target, given)))
      return async (...given: unknown[]): Promise<unknown> => {
        crashPoint(`${name}.before`)
        const answer: unknown = await Reflect.apply(method, target, given)
        crashPoint(`${name}.after`)
        return answer
      }
    },
  })
}
