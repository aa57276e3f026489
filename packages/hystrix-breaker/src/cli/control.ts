import { parseArgs } from 'node:util'
import { type Command, Failure, plain, UsageError, urlOf } from './arguments.ts'

export type ControlAction = 'open' | 'close' | 'reset'

const effects: Readonly<Record<ControlAction, string>> = {
  open: 'Forces a circuit open: every call is refused until it is reset.',
  close: 'Forces a circuit closed: every call is let through until it is reset.',
  reset: 'Closes a circuit, forgets what it has counted, and ends what was forced.',
}

const summaries: Readonly<Record<ControlAction, string>> = {
  open: 'force a circuit open',
  close: 'force a circuit closed',
  reset: 'close a circuit and end what was forced',
}

/** How long a control endpoint may take. */
const answerMs = 10_000

export function controlCommand(action: ControlAction): Command {
  return {
    summary: summaries[action],
    usage: `Usage: hystrix-breaker ${action} NAME --url URL [--token TOKEN]

${effects[action]}
It is asked of a control endpoint: \`controlEndpoint\` in a service, or /control of hystrix-breaker serve.

  NAME           of the breaker
  --url URL      such as http://127.0.0.1:7979/control
  --token TOKEN  of the endpoint; better in the environment variable HYSTRIX_BREAKER_TOKEN, where ps does not show it
`,
    async run(args) {
      const { values, positionals } = parseArgs({
        args,
        allowPositionals: true,
        options: { url: { type: 'string' }, token: { type: 'string' } },
      })
      const [name, ...more] = positionals
      if (name === undefined || more.length > 0) throw new UsageError('name one breaker')
      if (values.url === undefined) throw new UsageError('--url is missing')
      const token = tokenOf(values.token)
      if (token === undefined) throw new UsageError('--token or HYSTRIX_BREAKER_TOKEN is missing')
      const { name: changed, state } = await ask(urlOf('--url', values.url), action, name, token)
      return `${plain(changed)} is ${state}\n`
    },
  }
}

/** The option, else the environment variable HYSTRIX_BREAKER_TOKEN. */
export function tokenOf(option: string | undefined): string | undefined {
  return option ?? process.env['HYSTRIX_BREAKER_TOKEN']
}

async function ask(
  endpoint: URL,
  action: ControlAction,
  name: string,
  token: string,
): Promise<{ name: string; state: string }> {
  const url = new URL(endpoint)
  url.searchParams.set('action', action)
  url.searchParams.set('key', name)
  if (!/^[\x21-\x7E]+$/.test(token)) throw new UsageError('the token has characters that no header can carry')
  const { status, text } = await post(url, token)
  if (status === 401) throw new Failure(`${url.origin} does not know the token`)
  if (status !== 200)
    throw new Failure(`${url.origin} answered ${status}: ${plain(text.slice(0, 200).trim())}`)
  const changed = readAnswer(text)
  if (changed === undefined)
    throw new Failure(`${url.origin} is no control endpoint: ${plain(text.slice(0, 200))}`)
  return changed
}

async function post(url: URL, token: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      // It would carry the token elsewhere.
      redirect: 'error',
      signal: AbortSignal.timeout(answerMs),
    })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    throw new Failure(`${url.origin} did not answer: ${reasonOf(error)}`, { cause: error })
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message || error.message : error.message
}

function readAnswer(text: string): { name: string; state: string } | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    if (typeof answer !== 'object' || answer === null || !('name' in answer) || !('state' in answer))
      return undefined
    const { name, state } = answer
    return typeof name === 'string' && typeof state === 'string' ? { name, state: plain(state) } : undefined
  } catch {
    return undefined
  }
}
