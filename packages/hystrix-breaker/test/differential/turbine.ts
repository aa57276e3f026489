import { join } from 'node:path'
import { type ComparisonReport, compareWithOracle, type Oracle } from '@loadbearing/harness/oracle'
import type { Missing } from '@loadbearing/tooling/foreign-programs'
import * as fc from 'fast-check'
import { aggregate } from '../../src/adapters/stream-aggregate.ts'
import type { StreamData } from '../../src/adapters/stream-data.ts'
import { startJava } from './java-peer.ts'

export const turbineVersion = '1.0.0'

/** Turbine's AggDataFromCluster in a JVM. Says why where it cannot be had. */
export function startTurbine(): Oracle | Missing {
  return startJava({
    folder: join(import.meta.dirname, 'turbine'),
    files: ['TurbinePeer.java'],
    main: 'TurbinePeer',
    cache: `turbine-peer-${turbineVersion}`,
    jar: `turbine-core-${turbineVersion}.jar`,
  })
}

interface TurbineCase {
  readonly events: readonly { readonly host: string; readonly frame?: object }[]
}

/**
 * Frames of hosts that come, change and go. All have the same fields: Turbine keeps those that a host has stopped to
 * report, which its source names a known defect. The properties of commands are left out, which Turbine 2 does not sum.
 */
const cases: fc.Arbitrary<TurbineCase> = (() => {
  const frame = fc.record({
    group: fc.constantFrom('accounts', 'payments'),
    isCircuitBreakerOpen: fc.boolean(),
    errorPercentage: fc.nat(100),
    requestCount: fc.nat(100_000),
    latencyExecute: fc.record({
      '0': fc.nat(900),
      '50': fc.nat(900),
      '99.5': fc.nat(9000),
      '100': fc.nat(9000),
    }),
    propertyValue_queueSizeRejectionThreshold: fc.nat(10),
    propertyValue_circuitBreakerForceOpen: fc.boolean(),
    reportingHosts: fc.constant(1),
  })
  const host = fc.constantFrom('a', 'b', 'c', 'd')
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.record({ host, frame }) },
    { weight: 1, arbitrary: fc.record({ host }) },
  )
  // The last one has a frame: of a cluster without hosts nothing is shown.
  return fc
    .tuple(fc.array(event, { maxLength: 12, size: 'max' }), fc.record({ host: fc.constant('e'), frame }))
    .map(([events, last]) => ({ events: [...events, last] }))
})()

export function compareTurbine(
  turbine: Oracle,
  options: { readonly seed: number; readonly runs: number },
): Promise<ComparisonReport<unknown, unknown, unknown>> {
  return compareWithOracle({
    arbitrary: cases,
    ours: async (each: TurbineCase) => comparable(aggregated(each)),
    theirs: async (each) => comparable(await turbine.ask(each)),
    ...options,
  })
}

function aggregated({ events }: TurbineCase): object {
  const hosts = new Map<string, StreamData>()
  for (const { host, frame } of events) {
    if (frame === undefined) hosts.delete(host)
    else hosts.set(host, { ...frame, type: 'HystrixThreadPool', name: 'name' })
  }
  const [sum] = aggregate([...hosts.values()].map((frame) => [frame]))
  const { type: _type, name: _name, ...fields } = sum ?? { type: '', name: '' }
  return fields
}

/** Turbine writes true and false as text, and counts what differs in no order. */
function comparable(answer: unknown): unknown {
  const entries = Object.entries(Object(answer)).map(([field, value]: [string, unknown]) => {
    const text = typeof value === 'boolean' ? String(value) : value
    if (typeof text !== 'string' || !text.startsWith('{')) return [field, text]
    return [field, `{${text.slice(1, -1).split(',').toSorted().join(',')}}`]
  })
  return Object.fromEntries(entries.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)))
}
