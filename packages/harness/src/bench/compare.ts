import { isDeepStrictEqual } from 'node:util'
import { HarnessError } from '../errors.ts'
import { type Duration, toMs } from '../faults/duration.ts'
import { inheritedArgs } from './inherited-args.ts'
import { type Subject, type SubjectProcess, startSubject } from './subject.ts'

export interface CompareOptions {
  /** The name of the work: `lookup, 100 backends`. */
  readonly work: string
  readonly subjects: readonly Subject[]
  /** The subject that the ratios are against. */
  readonly baseline: string
  /** Handed to each subject's `prepare`, as JSON. Default: null. */
  readonly input?: unknown
  /** What `call` is called with, in turn, as JSON; also what the answers are compared on. */
  readonly cases: readonly unknown[]
  /**
   * `equal`: each subject must answer every case as the baseline does. Where good programs may differ, a check of one
   * subject's answers instead, which returns what is wrong with them, or undefined.
   */
  readonly answers: 'equal' | ((answers: readonly unknown[], subject: string) => string | undefined)
  /** Default: 15. */
  readonly rounds?: number
  /** How long one round of one subject lasts, about. Default: 20 ms. */
  readonly roundTime?: Duration
  /** How long each subject runs before the first round. Default: 200 ms. */
  readonly warmUp?: Duration
  /** How long one step of one subject may take before it is killed. Default: 1 minute. */
  readonly timeout?: Duration
  /** Arguments of Node for modules. Default: what this process was started with to find and read modules (`--import tsx`). */
  readonly nodeArgs?: readonly string[]
}

/** Median and quartiles. */
export interface Spread {
  readonly median: number
  readonly p25: number
  readonly p75: number
}

export interface Measured {
  readonly name: string
  readonly nsPerCall: Spread
  /** Time per call over that of the baseline in the same round: 2 is half as fast. */
  readonly ratio: Spread
  /** What the prepared subject holds, in bytes, after a garbage collection; as far as a program in another language tells. */
  readonly heapBytes: number | undefined
  readonly rssBytes: number | undefined
  /** Bytes allocated per call, where the engine tells. */
  readonly allocatedPerCall: number | undefined
}

export interface ComparisonResult {
  readonly work: string
  readonly baseline: string
  readonly rounds: number
  readonly measured: readonly Measured[]
  /** The subjects that broke down, and how: code `SUBJECT_FAILED`. */
  readonly failed: readonly { readonly name: string; readonly error: HarnessError }[]
  /** The subjects in the order in which they were timed. */
  readonly order: readonly string[]
}

/**
 * Measures subjects on the same work, each in a process of its own, one at a time. First all answer every case, and
 * unless the answers agree nothing is timed. Then each warms up, and rounds of equal length go round the subjects,
 * each time from the next one on, so that what else the machine does falls on all of them.
 *
 * A subject that breaks down is left out and reported; the others go on. No process is left when it returns.
 *
 * @throws HarnessError `ANSWERS_DIFFER` naming the subjects and the first case; `SUBJECT_FAILED` for the baseline;
 * `BAD_OPTION`.
 */
export async function compare(options: CompareOptions): Promise<ComparisonResult> {
  const { rounds = 15, nodeArgs = inheritedArgs(process.execArgv) } = options
  const plan: Plan = {
    ...options,
    rounds,
    roundMs: toMs('roundTime', options.roundTime ?? 20),
    warmUpMs: toMs('warmUp', options.warmUp ?? 200),
  }
  const timeoutMs = toMs('timeout', options.timeout ?? '1m')
  checkOptions(options, rounds)
  const subjects = options.subjects.map((subject) => ({
    process: startSubject(subject, { timeoutMs, nodeArgs }),
    name: subject.name,
    answers: [],
    samples: new Map<number, number>(),
    calls: 1,
  }))
  try {
    return await measure(plan, subjects)
  } finally {
    await Promise.all(subjects.map(({ process }) => process[Symbol.asyncDispose]()))
  }
}

interface Plan extends CompareOptions {
  readonly rounds: number
  readonly roundMs: number
  readonly warmUpMs: number
}

interface Running {
  readonly name: string
  readonly process: SubjectProcess
  answers: readonly unknown[]
  memory?: { heapBytes: number | undefined; rssBytes: number | undefined }
  allocatedPerCall?: number | undefined
  /** Calls of one round. */
  calls: number
  /** Time per call by round. */
  readonly samples: Map<number, number>
}

async function measure(plan: Plan, subjects: readonly Running[]): Promise<ComparisonResult> {
  const { work, baseline, rounds } = plan
  const failed: { name: string; error: HarnessError }[] = []
  let running = subjects
  /** Takes a step with each subject still running, one after the other. */
  const each = async (step: (subject: Running) => Promise<void>, from = 0): Promise<void> => {
    for (const subject of [...running.slice(from), ...running.slice(0, from)]) {
      try {
        await step(subject)
      } catch (cause) {
        const error = failureOf(subject.name, cause)
        if (subject.name === baseline) throw error
        failed.push({ name: subject.name, error })
        running = running.filter((one) => one !== subject)
      }
    }
  }

  await each(async (subject) => {
    subject.memory = await subject.process.prepare(plan.input ?? null, plan.cases)
    subject.answers = await subject.process.answers()
  })
  requireAgreement(plan, running)
  await each(async (subject) => {
    const nsPerCall = await subject.process.warmUp(plan.warmUpMs)
    subject.calls = Math.max(1, Math.min(2 ** 30, Math.round((plan.roundMs * 1e6) / nsPerCall)))
  })
  const order: string[] = []
  for (let round = 0; round < rounds; round++) {
    await each(async (subject) => {
      order.push(subject.name)
      subject.samples.set(round, (await subject.process.round(subject.calls)) / subject.calls)
    }, round % running.length)
  }
  await each(async (subject) => {
    subject.allocatedPerCall = await subject.process.allocatedPerCall(subject.calls)
  })
  const base = running.find(({ name }) => name === baseline)?.samples
  return { work, baseline, rounds, measured: running.map((one) => measuredOf(one, base)), failed, order }
}

function measuredOf(
  { name, samples, memory, allocatedPerCall }: Running,
  base: ReadonlyMap<number, number> | undefined,
): Measured {
  return {
    name,
    nsPerCall: spread([...samples.values()]),
    ratio: spread([...samples].map(([round, ns]) => ns / (base?.get(round) ?? Number.NaN))),
    heapBytes: memory?.heapBytes,
    rssBytes: memory?.rssBytes,
    allocatedPerCall,
  }
}

function checkOptions({ subjects, baseline, cases, answers }: CompareOptions, rounds: number): void {
  const names = subjects.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  const fault =
    twice !== undefined
      ? `subjects must have different names; two are called ${JSON.stringify(twice)}`
      : !names.includes(baseline)
        ? `baseline must be one of ${names.join(', ')}; received ${JSON.stringify(baseline)}`
        : cases.length === 0
          ? 'cases must hold at least one case; on none the answers cannot be compared'
          : answers !== 'equal' && typeof answers !== 'function'
            ? `answers must be 'equal' or a function, received ${JSON.stringify(answers)}`
            : !Number.isSafeInteger(rounds) || rounds < 1
              ? `rounds must be an integer of at least 1, received ${rounds}`
              : undefined
  if (fault !== undefined) throw new HarnessError('BAD_OPTION', fault)
}

function requireAgreement(
  { answers: rule, baseline, cases }: CompareOptions,
  subjects: readonly Running[],
): void {
  const expected = subjects.find(({ name }) => name === baseline)?.answers ?? []
  for (const { name, answers: given } of subjects) {
    if (given.length !== cases.length) {
      throw new HarnessError(
        'ANSWERS_DIFFER',
        `${name} gave ${given.length} answers to ${cases.length} cases`,
      )
    }
    if (rule !== 'equal') {
      const wrong = rule(given, name)
      if (wrong !== undefined)
        throw new HarnessError('ANSWERS_DIFFER', `${name} fails the check: ${wrong}; nothing was timed`)
      continue
    }
    const at = given.findIndex((answer, index) => !isDeepStrictEqual(answer, expected[index]))
    if (at !== -1) {
      throw new HarnessError(
        'ANSWERS_DIFFER',
        `${name} and ${baseline} answer case ${at} differently, so nothing was timed: ` +
          `to ${show(cases[at])} ${name} says ${show(given[at])}, ${baseline} says ${show(expected[at])}`,
      )
    }
  }
}

function failureOf(name: string, cause: unknown): HarnessError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new HarnessError('SUBJECT_FAILED', `${name} broke down: ${message}`, { cause })
}

function spread(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b)
  const quantile = (q: number): number => {
    const place = (sorted.length - 1) * q
    const below = sorted[Math.floor(place)] ?? Number.NaN
    const above = sorted[Math.ceil(place)] ?? Number.NaN
    return below + (above - below) * (place % 1)
  }
  return { median: quantile(0.5), p25: quantile(0.25), p75: quantile(0.75) }
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}
