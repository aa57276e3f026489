import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface TableRow {
  readonly what: string
  readonly command: object
}

/** Calls that come faster than their pool lets them through, in Hystrix's defaults and with a queue. */
export function poolTable(): TableRow[] {
  const burst = (what: string, count: number, options: Readonly<Record<string, unknown>>): TableRow => ({
    what,
    command: {
      op: 'command',
      options: { name: 'Get', 'execution.isolation.thread.timeoutInMilliseconds': 5000, ...options },
      calls: Array.from({ length: count }, (_, at) => ({ at: at * 20, takes: 600, ends: 'success' })),
    },
  })
  return [
    burst('13 calls at once, the pool of the defaults', 13, {}),
    burst('4 calls at once, a pool of 2', 4, { coreSize: 2 }),
    burst('6 calls at once, a pool of 1, a queue of 10 that is full with 3', 6, {
      coreSize: 1,
      maxQueueSize: 10,
      queueSizeRejectionThreshold: 3,
    }),
    burst('9 calls at once, a pool of 1, a queue of 10', 9, { coreSize: 1, maxQueueSize: 10 }),
    burst('5 calls at once, a pool of 1 that may grow to 3', 5, {
      coreSize: 1,
      maximumSize: 3,
      allowMaximumSizeToDivergeFromCoreSize: true,
    }),
    burst('3 calls at once, a pool of 1 that may not grow', 3, { coreSize: 1, maximumSize: 3 }),
  ]
}

/** Calls that wait in the queue of a pool of one, for longer than they may take. Their answers have `ran`. */
export function queueTable(): TableRow[] {
  const waiting = (what: string, calls: readonly object[]): TableRow => ({
    what,
    command: {
      op: 'command',
      runs: true,
      options: {
        name: 'Get',
        coreSize: 1,
        maxQueueSize: 10,
        queueSizeRejectionThreshold: 10,
        'execution.isolation.thread.timeoutInMilliseconds': 500,
        // Its thread is Hystrix's until the call has ended of itself.
        'execution.isolation.thread.interruptOnTimeout': false,
        'circuitBreaker.requestVolumeThreshold': 5,
      },
      calls: calls.map((call) => ({ ends: 'success', ...call })),
    },
  })
  return [
    waiting('a call that waited has what is left of its time', [
      { at: 0, takes: 400 },
      { at: 20, takes: 500 },
    ]),
    waiting('calls whose time ends in the queue never run, and have their fallbacks', [
      { at: 0, takes: 1000 },
      { at: 0, takes: 0, fallback: 'success' },
      { at: 0, takes: 0, fallback: 'failure' },
      { at: 0, takes: 0 },
      { at: 1200, takes: 100 },
    ]),
    waiting('times that end in the queue open the circuit', [
      ...Array.from({ length: 6 }, () => ({ at: 0, takes: 1200 })),
      // Later than the next look at the health of the command, every 500 ms.
      { at: 1800, takes: 0 },
    ]),
  ]
}

const recorded = join(import.meta.dirname, '../conformance/cases/command.jsonl')

/** The recorded cases whose source is Hystrix's own event lists, without what was expected of them. */
export function eventTable(): TableRow[] {
  return readFileSync(recorded, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"source":"HystrixCommandTest, assertCommandExecutionEvents"'))
    .map((line) => {
      const { id, what, op, options, calls } = JSON.parse(line)
      return { what: `${id}: ${what}`, command: { op, options, calls } }
    })
}
