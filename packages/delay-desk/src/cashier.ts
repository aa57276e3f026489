import { pipeline, retry, timeout } from '@loadbearing/hystrix-breaker'
import { isIdempotencyError } from '@loadbearing/stripe-idempotency'
import type { TransferOrder } from './bank-line.ts'
import type { GuardedServices } from './guarded.ts'
import type { HaltPoint, PaymentTally, Start } from './messages.ts'
import { mayPass, openPayments, type Payments } from './payment.ts'

/** Payments at the same time. */
const AT_ONCE = 4
/** How long a payment is asked for; shorter than the desk waits for the batch. */
const patience = '60s'

/** Where a worker is to stop in the middle of its payments. */
export interface Halt {
  readonly at: HaltPoint | undefined
  /** Resolves when it may go on, perhaps never. */
  readonly stop: () => Promise<void>
}

/** Pays what a worker has decided, and counts what became of it. */
export class Cashier {
  readonly #payments: Promise<Payments>
  readonly #services: GuardedServices
  readonly #untilSettled = pipeline(
    { name: 'payment', budget: false },
    timeout(patience),
    retry({ attempts: 1000, backoff: '50ms', retryIf: maySettle }),
  )
  #halt: Halt | undefined
  #replayed = 0
  #replayedByBank = 0

  constructor({ books, retention }: Pick<Start, 'books' | 'retention'>, services: GuardedServices) {
    this.#services = services
    this.#payments = openPayments(books, {
      bank: services.bank,
      guard: (work) => services.askBank(work),
      retention,
      onTransfer: (replayed) => {
        if (replayed) this.#replayedByBank++
      },
      pass: async (point) => {
        if (this.#halt?.at === point) await this.#halt.stop()
      },
    })
    this.#payments.catch(() => {})
  }

  get tally(): PaymentTally {
    return {
      replayed: this.#replayed,
      replayedByBank: this.#replayedByBank,
    }
  }

  /**
   * Asks for each payment until it is settled.
   *
   * @returns claims of which nobody knows whether the bank has paid them
   */
  async pay(orders: readonly TransferOrder[], halt: Halt): Promise<number[]> {
    const payments = await this.#payments
    this.#halt = halt
    const uncertain: number[] = []
    const rest = orders.values()
    const payRest = async (): Promise<void> => {
      for (const order of rest) if (!(await this.#settle(payments, order))) uncertain.push(order.claim)
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, orders.length) }, payRest))
    return uncertain
  }

  /** Whether it is paid; else it is uncertain. */
  async #settle(payments: Payments, order: TransferOrder): Promise<boolean> {
    try {
      const { replayed } = await this.#untilSettled.run(({ signal }) => {
        // Nothing is begun, or begun again, that the circuit would refuse.
        if (this.#services.bankIsShunned) throw new Error('the circuit before the bank is open')
        return payments.pay(order, signal)
      })
      if (replayed) this.#replayed++
      return true
    } catch (error) {
      if (isIdempotencyError(error) && error.code === 'uncertain') return false
      throw error
    }
  }
}

/** Whether a payment that was not settled may be when it is asked for again. */
function maySettle(error: unknown): boolean {
  if (!isIdempotencyError(error)) return mayPass(error)
  return error.code === 'store_unavailable' || error.code === 'lease_lost' || error.code === 'in_use'
}
