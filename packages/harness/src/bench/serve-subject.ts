import { getHeapStatistics } from 'node:v8'
import type { Command } from '../conformance/answer.ts'
import { field } from '../conformance/field.ts'
import { servePort } from '../conformance/port.ts'

/** What a subject's module exports: builds what is measured from the input. Its time is not counted, its memory is. */
export type Prepare<Input, Case, Result = unknown> = (
  input: Input,
) => Prepared<Case, Result> | Promise<Prepared<Case, Result>>

export interface Prepared<Case, Result = unknown> {
  /** The work. It is timed; a promise is awaited. */
  readonly call: (input: Case) => Result
  /** What is compared between subjects, as JSON. It is not timed. Default: the result itself. */
  readonly answer?: (result: Awaited<Result>) => unknown
}

interface Loaded {
  readonly call: (input: unknown) => unknown
  readonly answer: (result: unknown) => unknown
  readonly cases: readonly unknown[]
}

// Results are put here, or the compiler may find that nobody needs them and drop the work. A number goes to a place of
// its own: as a field of an object each would be allocated, and charged to the subject.
const sink: { last: unknown } = { last: undefined }
const numbers = new Float64Array(1)

/**
 * Answers the commands of `compare()` in a subject's process, over the conformance port:
 *
 * - `prepare {module, export, input, cases}` answers `{heapBytes, rssBytes}`, what the prepared subject holds;
 * - `answers {}` answers `{answers}`, one for each case;
 * - `warm-up {ms}` answers `{nsPerCall}`, `round {calls}` answers `{ns}`: the cases in turn, round after round;
 * - `allocation {calls}` answers `{bytes}`, where the engine can tell.
 *
 * The loop is our own because mitata and tinybench choose themselves when to stop and compile a new loop for each
 * measurement: rounds of a fixed size, warm and interleaved with those of other processes, are what they do not give.
 */
export async function serveSubject(): Promise<void> {
  let loaded: Loaded | undefined
  let at = 0
  const subject = (): Loaded => {
    if (loaded === undefined) throw new Error('not prepared')
    return loaded
  }
  const timed = async (calls: number): Promise<number> => {
    const { call, cases } = subject()
    const started = process.hrtime.bigint()
    const first = call(cases[at])
    at = (at + 1) % cases.length
    if (first instanceof Promise) at = await repeatAsync(call, cases, at, calls - 1, first)
    else {
      keep(first)
      at = repeat(call, cases, at, calls - 1)
    }
    return Number(process.hrtime.bigint() - started)
  }

  await servePort(
    {
      prepare: async (command) => {
        const cases = field(command, 'cases').list((one) => one.value, { min: 1 })
        const prepare = await preparerOf(command)
        const before = memory()
        const prepared: unknown = await prepare(field(command, 'input').value)
        const after = memory()
        const call: unknown = Reflect.get(Object(prepared), 'call')
        const answer: unknown = Reflect.get(Object(prepared), 'answer') ?? ((result: unknown) => result)
        if (!isFunction(call) || !isFunction(answer))
          throw new TypeError('prepare must return { call, answer? }')
        loaded = { call, answer, cases }
        return { heapBytes: after.heap - before.heap, rssBytes: after.rss - before.rss }
      },
      answers: async () => {
        const { call, answer, cases } = subject()
        const answers: unknown[] = []
        for (const one of cases) answers.push(answer(await call(one)))
        return { answers }
      },
      'warm-up': async (command) => {
        const budget = field(command, 'ms').number({ min: 0 }) * 1e6
        let ns = 0
        // The best batch: the first is cold, and any may have been interrupted.
        let nsPerCall = Number.POSITIVE_INFINITY
        for (let calls = 1; ns <= budget; calls = Math.min(calls * 2, 2 ** 30)) {
          const spent = await timed(calls)
          ns += spent
          nsPerCall = Math.min(nsPerCall, spent / calls)
        }
        globalThis.gc?.()
        return { nsPerCall }
      },
      round: async (command) => ({ ns: await timed(field(command, 'calls').integer({ min: 1 })) }),
      allocation: async (command) => {
        const calls = field(command, 'calls').integer({ min: 1 })
        const before = allocated()
        await timed(calls)
        const bytes = allocated() - before
        return Number.isNaN(bytes) ? {} : { bytes }
      },
    },
    { files: [] },
  )
}

async function preparerOf(command: Command): Promise<(input: unknown) => unknown> {
  const path = field(command, 'module').string()
  const name = field(command, 'export').string()
  const module: unknown = await import(path)
  const prepare: unknown = Reflect.get(Object(module), name)
  if (!isFunction(prepare)) throw new TypeError(`${path} exports no function ${name}`)
  return prepare
}

function isFunction(value: unknown): value is (input: unknown) => unknown {
  return typeof value === 'function'
}

function repeat(call: Loaded['call'], cases: Loaded['cases'], from: number, calls: number): number {
  let at = from
  for (let n = 0; n < calls; n++) {
    keep(call(cases[at]))
    if (++at === cases.length) at = 0
  }
  return at
}

async function repeatAsync(
  call: Loaded['call'],
  cases: Loaded['cases'],
  from: number,
  calls: number,
  first: unknown,
): Promise<number> {
  let at = from
  keep(await first)
  for (let n = 0; n < calls; n++) {
    keep(await call(cases[at]))
    if (++at === cases.length) at = 0
  }
  return at
}

function keep(result: unknown): void {
  if (typeof result === 'number') numbers[0] = result
  else sink.last = result
}

function memory(): { heap: number; rss: number } {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, rss }
}

function allocated(): number {
  const bytes: unknown = Reflect.get(getHeapStatistics(), 'total_allocated_bytes')
  return typeof bytes === 'number' ? bytes : Number.NaN
}
