import { parseArgs } from 'node:util'
import { StreamClient } from '../adapters/stream-client.ts'
import { keyOf, readData, type StreamData } from '../adapters/stream-data.ts'
import type { StreamEvent } from '../adapters/stream-events.ts'
import { realClock } from '../ports.ts'
import { type Command, Failure, headersOf, plain, UsageError, urlOf } from './arguments.ts'
import { topScreen, topTable } from './top-view.ts'

const usage = `Usage: hystrix-breaker top URL [options]

Shows the circuits of a hystrix.stream or turbine.stream as a table, live in a terminal, else once for each moment of
the stream. What is open comes first, then what fails most. Ctrl-C ends it.

  --once           show one moment, and end
  --json           each moment as a line of JSON: a list of the stream's frames
  --header 'A: b'  sent with the request, such as 'Authorization: Bearer …'; once for each
`

/** A hung server is told apart from one that has little to say. */
const silenceMs = 10_000
/** A name that is not reported any more is shown for so long. */
const keptMs = 10_000
/** Moments without a frame after which a stream is taken for empty: one that aggregates has its first one late. */
const emptyMoments = 4

export const top: Command = {
  summary: 'a live table of a stream in the terminal',
  usage,
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        once: { type: 'boolean' },
        json: { type: 'boolean' },
        header: { type: 'string', multiple: true },
      },
    })
    const [address, ...more] = positionals
    if (address === undefined || more.length > 0) throw new UsageError('name one URL')
    const url = urlOf('URL', address)
    await watch(url, headersOf(values.header ?? []), {
      once: values.once ?? false,
      form: values.json === true ? 'json' : process.stdout.isTTY && values.once !== true ? 'screen' : 'table',
    })
    return ''
  },
}

interface WatchOptions {
  readonly once: boolean
  readonly form: 'json' | 'screen' | 'table'
}

/** Ends with the first moment if it is `once`, else never. */
function watch(url: URL, headers: Record<string, string>, { once, form }: WatchOptions): Promise<void> {
  const frames = new Frames()
  return new Promise((resolve, reject) => {
    // Timers of the client keep no process alive, and a lost connection is waited for.
    const alive = setInterval(() => {}, 2 ** 30)
    const end = (settle: () => void): void => {
      clearInterval(alive)
      client.stop()
      settle()
    }
    const title = `hystrix-breaker  ${plain(url.href)}`
    const moment = (): void => {
      if (frames.empty && frames.moments < emptyMoments) return
      show(form, title, frames.all())
      if (once) end(resolve)
    }
    const client = new StreamClient(
      { url, headers },
      {
        connected: () => {},
        event: (event) => {
          if (frames.take(event)) moment()
        },
        lost: (error, retryIn) => {
          const reason = `${url.origin}: ${error.message}`
          if (once) end(() => reject(new Failure(reason)))
          else process.stderr.write(`${plain(reason)}; again in ${retryIn / 1000} s\n`)
        },
      },
      { timeout: silenceMs, clock: realClock },
    )
    client.start()
  })
}

/** What a stream reported last. */
class Frames {
  moments = 0
  readonly #frames = new Map<string, { readonly data: StreamData; readonly at: number }>()
  // Of this moment.
  readonly #seen = new Set<string>()

  get empty(): boolean {
    return this.#frames.size === 0
  }

  /** True where a moment is over: with a ping, or where a name comes again in a stream without pings. */
  take(event: StreamEvent): boolean {
    if (event.kind === 'ping') return this.#over()
    const data = readData(event.text)
    if (data === undefined) return false
    const key = keyOf(data)
    if ('deleteData' in data) {
      this.#frames.delete(key)
      return false
    }
    const over = this.#seen.has(key) && this.#over()
    this.#seen.add(key)
    this.#frames.set(key, { data, at: realClock.monotonic() })
    return over
  }

  all(): StreamData[] {
    const oldest = realClock.monotonic() - keptMs
    for (const [key, { at }] of this.#frames) if (at < oldest) this.#frames.delete(key)
    return [...this.#frames.values()].map(({ data }) => data)
  }

  #over(): boolean {
    this.moments++
    this.#seen.clear()
    return true
  }
}

function show(form: WatchOptions['form'], title: string, frames: readonly StreamData[]): void {
  if (form === 'json') process.stdout.write(`${JSON.stringify(frames)}\n`)
  else if (form === 'table') process.stdout.write(`${topTable(frames).join('\n')}\n`)
  else {
    const { columns, rows } = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
    const lines = topScreen(title, frames, { columns, rows })
    // From the top left; each line is cleared to its end, then what is left of the last picture.
    process.stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`)
  }
}
