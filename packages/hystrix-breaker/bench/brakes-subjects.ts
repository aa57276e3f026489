import { createRequire } from 'node:module'
import type { Prepared } from '@loadbearing/harness/bench'

/** The part of brakes' API that is called here; the package has no types. */
interface Brakes {
  exec(): Promise<number>
  on(event: 'circuitOpen', listener: () => void): void
}

const require = createRequire(import.meta.url)
const BrakesClass: new (
  action: () => Promise<number>,
  options?: Readonly<Record<string, unknown>>,
) => Brakes = require('brakes')

type Subject = Prepared<number, Promise<number>>

/** With a time limit and percentiles, as it is by default. */
export function brakes(): Subject {
  const own = new BrakesClass(() => Promise.resolve(1))
  return { call: () => own.exec() }
}

/** Opened by failures: it has no other way. */
export async function brakesOpen(): Promise<Subject> {
  const own = new BrakesClass(() => Promise.reject(new Error('down')), {
    waitThreshold: 1,
    healthCheckInterval: 600_000,
    circuitDuration: 600_000,
  })
  const opened = new Promise<void>((resolve) => own.on('circuitOpen', resolve))
  for (let n = 0; n < 100; n++) await own.exec().catch(() => 0)
  await opened
  return { call: () => own.exec().catch(() => 0) }
}
