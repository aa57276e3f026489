import { AsyncLocalStorage } from 'node:async_hooks'
import { Buffer } from 'node:buffer'
import { type Command, type Field, field } from '@loadbearing/harness/conformance'
import {
  createIdempotency,
  type HeaderLines,
  type HttpOptions,
  type HttpRequest,
  ietf,
  type LiveResponse,
  type Mode,
  memoryStore,
  stripeV1,
  stripeV2,
} from '@loadbearing/stripe-idempotency'
import { VirtualClock } from '../virtual-clock.ts'

/** Set for a request until it is read: it may have to be unpacked, by threads that know nothing of virtual time. */
const read = new AsyncLocalStorage<() => void>()

class PortClock extends VirtualClock {
  override monotonic(): number {
    read.getStore()?.()
    return super.monotonic()
  }
}

/** Milliseconds: ten years, as of the durations of the package. Its lease is renewed all the while. */
const longest = 3652 * 86_400_000

interface Handler {
  readonly takes: number
  readonly status: number
  readonly headers: HeaderLines
  readonly body: Uint8Array
  readonly validationError: boolean
}

/** What was answered to a request, and when; of a request that is not answered yet, nothing. */
interface PortAnswer {
  at?: number
  status?: number
  headers?: Readonly<Record<string, unknown>>
  body?: unknown
}

export async function exchange(
  command: Command,
): Promise<{ readonly answers: readonly PortAnswer[]; readonly executions: number }> {
  const clock = new PortClock()
  const options = field(command, 'options').optional((each) => each)
  const rerun = options?.field('rerun').optional((each) => each.oneOf(['safe', 'never']))
  const idempotency = createIdempotency({
    store: memoryStore({ clock }),
    clock,
    ...pick({
      lease: duration(options, 'lease'),
      ttl: duration(options, 'ttl') ?? duration(options, 'retention'),
    }),
  })
  const http = idempotency.http({
    mode: modeOf(field(command, 'mode'), options?.field('syntax')),
    ...pick({ wait: duration(options, 'wait'), rerun }),
  } satisfies HttpOptions)
  let executions = 0
  let open = 0
  const unread = new Set<object>()
  let failed: { readonly error: unknown } | undefined
  const answers = field(command, 'requests').list((each) => {
    const at = each.field('at').number()
    const account = each.field('account').string()
    const request = requestOf(each)
    const handler = handlerOf(each.field('handler'))
    const answer: PortAnswer = {}
    open++
    const begin = async (): Promise<void> => {
      const { response } = await http.answer(request, account, async ({ notExecuted }) => {
        unread.delete(answer)
        if (handler.validationError) notExecuted()
        else executions++
        await new Promise<void>((resolve) => clock.setTimeout(resolve, handler.takes))
        return handler
      })
      answer.at = clock.now()
      answer.status = response.status
      answer.headers = headersObject(response.headers)
      answer.body = bodyText(await whole(response.body))
    }
    const end = (): void => {
      open--
      unread.delete(answer)
    }
    const fail = (error: unknown): void => {
      failed ??= { error }
    }
    const start = (): void => {
      unread.add(answer)
      void read
        .run(() => unread.delete(answer), begin)
        .catch(fail)
        .finally(end)
    }
    clock.setTimeout(start, at)
    return answer
  })
  const done = (): boolean => open === 0
  const busy = (): boolean => unread.size > 0
  await clock.run(done, busy)
  if (failed !== undefined) throw failed.error
  return { answers, executions }
}

export function modeOf(mode: Field, syntax: Field | undefined): Mode {
  const given = syntax?.optional((each) => each.oneOf(['strict', 'lenient']))
  const name = mode.oneOf(['stripe-v1', 'stripe-v2', 'ietf'])
  if (name === 'stripe-v1') return stripeV1
  if (name === 'stripe-v2') return stripeV2
  return ietf(given === undefined ? {} : { syntax: given })
}

export function requestOf(each: Field): HttpRequest {
  const [path = '', ...query] = each.field('path').string().split('?')
  const headers = each.field('headers').optional(headersOf) ?? []
  const contentType = each.field('contentType').optional((type) => type.string())
  return {
    method: each.field('method').string(),
    path,
    query: query.join('?'),
    headers: contentType === undefined ? headers : [...headers, ['content-type', contentType]],
    body: each.field('body').optional(bytesOf) ?? new Uint8Array(),
  }
}

function handlerOf(each: Field): Handler {
  return {
    takes: each.field('takes').number({ min: 0, max: longest }),
    status: each.field('status').integer({ min: 200, max: 599 }),
    headers: each.field('headers').optional(headersOf) ?? [],
    body: each.field('body').optional(bytesOf) ?? new Uint8Array(),
    validationError: each.field('validationError').optional((flag) => flag.boolean()) ?? false,
  }
}

/** An object of values, or of lists of them for several lines; or a list of pairs. */
function headersOf(each: Field): HeaderLines {
  if (Array.isArray(each.value)) {
    return each.list((pair) => {
      const [name = '', value = ''] = pair.list((part) => part.string())
      return [name.toLowerCase(), value] as const
    })
  }
  const lines = each.record((value) =>
    Array.isArray(value.value) ? value.list((line) => line.string()) : [value.string()],
  )
  return Object.entries(lines).flatMap(([name, values]) =>
    values.map((value) => [name.toLowerCase(), value] as const),
  )
}

/** A list for what has several lines. */
function headersObject(headers: HeaderLines): Readonly<Record<string, unknown>> {
  const lines = Map.groupBy(headers, ([name]) => name)
  return Object.fromEntries(
    [...lines].map(([name, [first, ...more]]) => [
      name,
      more.length === 0 ? first?.[1] : [first, ...more].map((line) => line?.[1]),
    ]),
  )
}

function bytesOf(each: Field): Uint8Array {
  if (each.value === null) return new Uint8Array()
  if (typeof each.value === 'string') return Buffer.from(each.value)
  return Buffer.from(each.field('base64').string(), 'base64')
}

async function whole(body: LiveResponse['body']): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** As text where it is that. */
function bodyText(body: Uint8Array): unknown {
  const bytes = Buffer.from(body)
  const text = bytes.toString()
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') }
}

/** Milliseconds, or as the options of the package. */
function duration(options: Field | undefined, name: string): number | string | undefined {
  return options
    ?.field(name)
    .optional((each) => (typeof each.value === 'number' ? each.number({ min: 0 }) : each.string()))
}

function pick<Options extends object>(
  options: Options,
): { [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
