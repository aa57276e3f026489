import { type Field, field } from '@loadbearing/harness/conformance'
import {
  type CallEvent,
  type Command,
  type CommandOptions,
  command,
  type Execution,
  HystrixBadRequestException,
  HystrixRuntimeException,
  requestScope,
} from '@loadbearing/hystrix-breaker'
import { VirtualTime } from './virtual-time.ts'

const endings = ['success', 'failure', 'bad-request', 'hang'] as const
const fallbacks = ['success', 'failure', 'missing', 'rejected'] as const

interface CallAnswer {
  readonly events: readonly CallEvent[]
  readonly error?: { readonly type: string; readonly message: string }
}

/** Calls of one command, in one request scope and in virtual time. `ran` is told of each call whose work begins. */
export async function commandCalls(
  question: object,
  ran: (call: number) => void = () => {},
): Promise<{ readonly calls: readonly CallAnswer[] }> {
  const time = new VirtualTime()
  await using tested = command<number>({ ...optionsOf(question), clock: time })
  const ended: (() => CallAnswer)[] = []
  await requestScope(async () => {
    let latest = 0
    for (const call of field(question, 'calls').list((each) => each)) {
      latest = call.field('at').integer({ min: latest })
      await time.advance(latest)
      const place = ended.length
      ended.push(follow(begin(tested, call, time, () => ran(place))))
    }
    await time.advance(Infinity)
  })
  return { calls: ended.map((answer) => answer()) }
}

function optionsOf(question: object): CommandOptions {
  return field(question, 'options').optional((options) => options.record((option) => option.value)) ?? {}
}

function begin(tested: Command<number>, call: Field, time: VirtualTime, ran: () => void): Execution<number> {
  const ends = call.field('ends').oneOf(endings)
  const takes = call.field('takes').optional((ms) => ms.integer({ min: 0 })) ?? 0
  const fallback = call.field('fallback').optional((each) => each.oneOf(fallbacks)) ?? 'missing'
  const cacheKey = call.field('cacheKey').optional((key) => key.string())
  const work = (): Promise<number> =>
    new Promise((succeed, fail) => {
      ran()
      if (ends === 'hang') return
      time.at(time.monotonic() + takes, () => {
        if (ends === 'success') succeed(1)
        else fail(ends === 'failure' ? new Error('failure') : new HystrixBadRequestException('bad request'))
      })
    })
  return tested.start(work, {
    cacheKey,
    ...(fallback === 'missing' ? {} : { fallback: fallbackOf(fallback) }),
    ...(fallback === 'rejected' ? { fallbackMax: 0 } : {}),
  })
}

function fallbackOf(fallback: 'success' | 'failure' | 'rejected'): () => number {
  return () => {
    if (fallback === 'failure') throw new Error('failure of the fallback')
    return 2
  }
}

function follow(execution: Execution<number>): () => CallAnswer {
  let failed: { readonly error: { readonly type: string; readonly message: string } } | undefined
  execution.answer.catch((error: unknown) => {
    failed = { error: shownError(error) }
  })
  return () => ({ events: execution.events, ...failed })
}

function shownError(error: unknown): { readonly type: string; readonly message: string } {
  if (error instanceof HystrixRuntimeException) return { type: error.failureType, message: error.message }
  if (error instanceof HystrixBadRequestException)
    return { type: 'BAD_REQUEST_EXCEPTION', message: error.message }
  return { type: 'UNKNOWN', message: String(error) }
}
