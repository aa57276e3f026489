import { setTimeout as pause } from 'node:timers/promises'
import { BankLine } from './bank-line.ts'
import type { Booking } from './books.ts'
import { DeskError, reasonOf } from './errors.ts'
import type { OpenBank } from './open-bank.ts'
import { openPayments, type Payments } from './payment.ts'
import type { Places } from './places.ts'
import { compareBooks, type Disagreement, type Payment } from './reconciliation.ts'

/** How long the bank may take to show its ledger, and what is uncertain to be settled, and for each claim of it besides. */
const PATIENCE_MS = 60_000
const PATIENCE_A_CLAIM_MS = 20
const AGAIN_MS = 20
/** Between two looks at what is not settled; with millions of claims each takes a while. */
const ROUND_MS = 100
const CALL_MS = 1_000

/** The books at the end of the day. */
export interface Closed {
  readonly ledger: readonly Payment[]
  readonly bookings: readonly Booking[]
  /** Claims of which nobody knew whether the bank had paid them. */
  readonly uncertain: {
    readonly before: number
    /** Of these, claims that the bank had paid. */
    readonly paid: number
    readonly after: number
  }
  /** Where ledger and books differed before, on claims that nobody had called uncertain. */
  readonly unexplained: readonly Disagreement[]
}

/** Told of what is uncertain, before the bank is asked about it. */
export type OnUncertain = (disagreements: readonly Disagreement[]) => void

/**
 * Closes the day: holds the bank's ledger against the desk's books, goes on with every payment that is uncertain or was
 * abandoned by what the bank's ledger says, and holds them against each other again.
 *
 * @param uncertain claims that workers have called so
 * @throws DeskError `SERVICE_FAILED` where the bank does not show its ledger
 */
export async function closeDay(
  bank: OpenBank,
  { books }: Places,
  retention: number,
  uncertain: ReadonlySet<number>,
  onUncertain: OnUncertain,
): Promise<Closed> {
  bank.closeDay()
  const line = new BankLine(bank.url)
  await using payments = await openPayments(books, {
    bank: line,
    guard: (work) => work(AbortSignal.timeout(CALL_MS)),
    retention,
  })
  const before = compareBooks(await statementOf(line), await payments.bookings())
  onUncertain(before.filter(({ claim }) => uncertain.has(claim)))
  await settleAll(payments, PATIENCE_MS + uncertain.size * PATIENCE_A_CLAIM_MS)
  const ledger = await statementOf(line)
  const bookings = await payments.bookings()
  const left = compareBooks(ledger, bookings).filter(({ claim }) => uncertain.has(claim))
  return {
    ledger,
    bookings,
    uncertain: {
      before: uncertain.size,
      paid: before.filter(({ claim, paidByBank }) => paidByBank && uncertain.has(claim)).length,
      after: left.length,
    },
    unexplained: before.filter(({ claim }) => !uncertain.has(claim)),
  }
}

/** The nightly `reconcile`: a worker of the package asks the bank what became of each payment, and goes on by its answer. */
async function settleAll(payments: Payments, patience: number): Promise<void> {
  const deadline = performance.now() + patience
  if (!(await payments.unsettled())) return
  await using resources = new AsyncDisposableStack()
  resources.use(
    payments.worker({ complete: { pickUpAfter: 100, againAfter: 100, every: ROUND_MS, concurrency: 16 } }),
  )
  while ((await payments.unsettled()) && performance.now() < deadline) await pause(ROUND_MS)
}

/** The whole ledger, asked for until the bank, which may be dead at the moment, has shown it. */
async function statementOf(bank: BankLine): Promise<Payment[]> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await bank.statement(AbortSignal.timeout(PATIENCE_MS))
    } catch (cause) {
      if (cause instanceof TypeError || performance.now() > deadline)
        throw new DeskError('SERVICE_FAILED', reasonOf(cause), { cause })
    }
    await pause(AGAIN_MS)
  }
}
