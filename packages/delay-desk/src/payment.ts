import {
  applied,
  createIdempotency,
  notApplied,
  unknown,
  type Verdict,
  type Worker,
  type WorkerOptions,
} from '@loadbearing/stripe-idempotency'
import { keyOf } from './assignment.ts'
import type { BankLine, TransferOrder } from './bank-line.ts'
import { type Booking, type Books, type BooksPlace } from './books.ts'
import { StatusError } from './json-call.ts'
import { openBooks } from './open-books.ts'

/** Whose keys the desk's are. */
const scope = 'delay-desk'
/** After which a worker that says nothing is taken for gone, and another one goes on with what it held. */
const lease = '1s'
/** How long to wait for that. */
const wait = '10s'

/** Carries out a call to the bank, or refuses to. */
type Guard = <Value>(work: (signal: AbortSignal) => Promise<Value>) => Promise<Value>

/** What payments are made with. */
export interface PaymentParts {
  readonly bank: BankLine
  /** What stands between the desk and the bank. */
  readonly guard: Guard
  /** Milliseconds for which the bank promises to know a key. */
  readonly retention: number
  /** Told of each transfer that the bank has confirmed. */
  readonly onTransfer?: (replayed: boolean) => void
  /** Passes the places in the call where a worker can be struck. */
  readonly pass?: (point: 'booked' | 'called') => Promise<void>
}

/** The payments of one process, on books that it shares with others. Disposing of them closes the books. */
export interface Payments extends AsyncDisposable {
  /**
   * Pays a claim, once, however often it is asked to and whatever dies in the middle.
   *
   * @throws IdempotencyError `uncertain` where nobody knows whether the bank has paid it; what may be asked for again
   */
  pay(order: TransferOrder, signal: AbortSignal): Promise<{ readonly replayed: boolean }>
  /** Goes on with what was abandoned, and settles what is uncertain by asking the bank. */
  worker(options: WorkerOptions): Worker
  /** Whether an operation is under way, abandoned or uncertain. */
  unsettled(): Promise<boolean>
  bookings(): Promise<Booking[]>
}

export function openPayments(place: BooksPlace, parts: PaymentParts): Promise<Payments> {
  return openBooks(place, (books) => paymentsOn(books, parts))
}

/**
 * The payment of a claim in three phases: it is booked as being paid, the bank is asked, it is booked as paid. Its key is the
 * claim. Where the bank may have forgotten its own key it is not asked to pay again but what became of it.
 */
function paymentsOn<Transaction>(
  books: Books<Transaction>,
  { bank, guard, retention, onTransfer, pass }: PaymentParts,
): Payments {
  const { store } = books
  const idempotency = createIdempotency({ store, lease })
  const payment = idempotency
    .operation<TransferOrder>('claim.pay')
    .tx('booked', (transaction, { input: { claim, amount } }) => books.begin(transaction, claim, amount))
    .call('transferred', {
      retention,
      retryable: mayPass,
      run: async ({ input, foreignKey }) => {
        await pass?.('booked')
        const { id, replayed } = await guard((signal) => bank.transfer(input, foreignKey, signal))
        onTransfer?.(replayed)
        await pass?.('called')
        return id
      },
      reconcile: ({ input: { claim }, foreignKey }) =>
        verdictOf(guard((signal) => bank.find(claim, foreignKey, signal))),
    })
    .tx('paid', (transaction, { input: { claim }, prev }) => books.finish(transaction, claim, prev))
  return {
    pay: (order, signal) => payment.execute({ scope, key: keyOf(order.claim), input: order, wait, signal }),
    worker: (options) => idempotency.worker(options),
    unsettled: async () => {
      for (const state of ['claimed', 'uncertain'] as const)
        if ((await store.list({ state, limit: 1 })).length > 0) return true
      return false
    },
    bookings: () => books.bookings(),
    [Symbol.asyncDispose]: async () => {
      await idempotency[Symbol.asyncDispose]()
      await books[Symbol.asyncDispose]()
    },
  }
}

/** What the bank's ledger says. A transfer that is still on its way is not paid twice by `notApplied`: it has the same key. */
async function verdictOf(search: Promise<string | undefined>): Promise<Verdict<string>> {
  try {
    const found = await search
    return found === undefined ? notApplied() : applied(found)
  } catch (error) {
    // One that is in trouble is asked again, one that says no does not tell.
    if (error instanceof StatusError && !mayPass(error)) return unknown()
    throw error
  }
}

/** Whether to ask again may help. The bank says so, or it is in trouble; where it cannot be understood nothing helps. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof StatusError)) return !(error instanceof TypeError)
  const advice = error.headers['stripe-should-retry']
  return advice === 'true' || (advice !== 'false' && error.status >= 500)
}
