import { IdempotencyError } from '../errors.ts'
import type { TransactionalStore } from '../store/store.ts'
import type { HandlerContext } from './exchange.ts'

const executions = new WeakMap<object, HandlerContext>()

/**
 * What a handler may know of its execution under an idempotency key: its fence, and how to say that a request was refused
 * before execution began.
 *
 * @param request what the framework gives to its handlers: the `Request` of a Fetch handler, Hono's or Koa's context, the
 * request of Express, Fastify or NestJS
 * @returns undefined where the request has no key
 */
export function executionOf(request: object): HandlerContext | undefined {
  return executions.get(request)
}

/**
 * The transaction that the key of a request is in, where its adapter has `transaction: true`. It is committed, or rolled back,
 * when the answer is whole, and is not to be used then.
 *
 * @param request as for {@link executionOf}
 * @param store that of the adapter
 * @throws IdempotencyError `invalid_option` where the request is in no transaction of the store
 */
export function transactionOf<Transaction>(
  request: object,
  store: TransactionalStore<Transaction>,
): Transaction {
  const transaction = executions.get(request)?.transaction
  if (transaction?.store === store) {
    // A store's transactions are of the type that it says.
    return transaction.handle as Transaction
  }
  throw new IdempotencyError(
    'invalid_option',
    'the request is in no transaction of this store: give its adapter transaction: true and this store, and call it for a method on which a key has an effect',
  )
}

export function setExecution(request: object, context: HandlerContext): void {
  executions.set(request, context)
}
