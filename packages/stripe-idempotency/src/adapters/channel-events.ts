import { channels, type Outcome } from '../events.ts'

/** What is measured of the events of all instances in the process. */
export interface Measured {
  /** @param seconds from the request to its outcome */
  readonly outcome: (outcome: Outcome, seconds: number) => void
  readonly leaseLost: () => void
  readonly failedOpen: () => void
}

export const durationMetric = {
  name: 'stripe_idempotency.request.duration',
  help: 'Seconds from a request with a key to its outcome, the wait for others included',
  bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
} as const

export const leasesLostMetric = {
  name: 'stripe_idempotency.leases_lost',
  help: 'Holders whose work was taken over by another one',
} as const

export const failedOpenMetric = {
  name: 'stripe_idempotency.failed_open',
  help: 'Requests that were carried out without their keys, as the store could not be asked',
} as const

const outcomes: ReadonlySet<unknown> = new Set<Outcome>([
  'executed',
  'released',
  'replayed',
  'conflict',
  'mismatch',
  'uncertain',
  'failed',
])

/** @returns ends it */
export function measure({ outcome, leaseLost, failedOpen }: Measured): () => void {
  const onOutcome = (event: unknown): void => {
    // Another copy of the package may publish what this one does not know.
    if (typeof event !== 'object' || event === null || !('outcome' in event && 'duration' in event)) return
    if (isOutcome(event.outcome) && typeof event.duration === 'number') {
      outcome(event.outcome, event.duration / 1000)
    }
  }
  channels.outcome.subscribe(onOutcome)
  channels['lease-lost'].subscribe(leaseLost)
  channels['failed-open'].subscribe(failedOpen)
  return () => {
    channels.outcome.unsubscribe(onOutcome)
    channels['lease-lost'].unsubscribe(leaseLost)
    channels['failed-open'].unsubscribe(failedOpen)
  }
}

function isOutcome(value: unknown): value is Outcome {
  return outcomes.has(value)
}
