import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { parseArgs } from 'node:util'
import {
  controlEndpoint,
  dashboardPage,
  hystrixStream,
  type StreamEndpoint,
  turbineStream,
} from '../adapters/stream.ts'
import { answerText } from '../adapters/stream-access.ts'
import {
  type Command,
  durationOf,
  headersOf,
  type ListenAddress,
  listenAddressOf,
  plain,
  UsageError,
  urlOf,
} from './arguments.ts'
import { tokenOf } from './control.ts'
import { Demo } from './demo.ts'
import { demoScenario } from './demo-scenario.ts'
import type { Scenario } from './scenario.ts'
import { scenarioFrom } from './scenario-file.ts'

const usage = `Usage: hystrix-breaker serve (--source URL... | --scenario FILE | --demo) [options]

Serves a page with the circuits of your processes, and their streams as one. SIGINT and SIGTERM end it.

  --source URL        a hystrix.stream or turbine.stream; once for each process
  --header 'A: b'     sent to the sources, such as 'Authorization: Bearer …'; once for each
  --scenario FILE     show a simulated scenario in real time, over and over (simulate --help has its format)
  --demo              show a scenario that is built in
  --listen ADDRESS    [HOST]:PORT (default 127.0.0.1:7979; port 0 takes a free one)
  --delay TIME        between two frames (default 500ms)
  --max-clients N     pages and streams at once (default 100)
  --token TOKEN       with --scenario or --demo: who has it may open, close and reset circuits by POST /control, as
                      hystrix-breaker open does; better in the environment variable HYSTRIX_BREAKER_TOKEN

  GET /                the page
  GET /turbine.stream  of the sources: for the Hystrix dashboard, Turbine, hystrix-breaker top
  GET /hystrix.stream  of the scenario
`

export const serve: Command = {
  summary: 'serve a dashboard of your processes, or of a simulation',
  usage,
  async run(args) {
    const settings = await settingsOf(args)
    const ended = new AbortController()
    const end = (): void => ended.abort()
    process.once('SIGINT', end).once('SIGTERM', end)
    try {
      if ('scenario' in settings.shown) await serveScenario(settings, settings.shown.scenario, ended.signal)
      else await serveSources(settings, settings.shown.sources, ended.signal)
    } finally {
      process.off('SIGINT', end).off('SIGTERM', end)
    }
    return ''
  },
}

interface ServeSettings {
  readonly listen: ListenAddress
  readonly stream: { readonly delay: number; readonly maxConnections: number }
  readonly shown: { readonly sources: readonly Source[] } | { readonly scenario: Scenario }
  readonly token: string | undefined
}

interface Source {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

async function settingsOf(args: string[]): Promise<ServeSettings> {
  const { values } = parseArgs({
    args,
    options: {
      source: { type: 'string', multiple: true },
      header: { type: 'string', multiple: true },
      scenario: { type: 'string' },
      demo: { type: 'boolean' },
      listen: { type: 'string' },
      delay: { type: 'string' },
      'max-clients': { type: 'string' },
      token: { type: 'string' },
    },
  })
  const { source: sources, scenario, demo = false } = values
  const given = [sources !== undefined, scenario !== undefined, demo].filter(Boolean).length
  if (given !== 1) throw new UsageError('give --source, or --scenario, or --demo: one of them')
  if (sources !== undefined && values.token !== undefined)
    throw new UsageError(
      '--token is of --scenario and --demo: the sources have control endpoints of their own',
    )
  if (sources === undefined && values.header !== undefined) throw new UsageError('--header is of --source')
  const max = values['max-clients'] ?? '100'
  if (!/^[1-9]\d{0,4}$/.test(max)) throw new UsageError(`--max-clients must be 1 to 99999, not ${plain(max)}`)
  const headers = headersOf(values.header ?? [])
  return {
    listen: listenAddressOf('--listen', values.listen ?? '127.0.0.1:7979'),
    stream: { delay: durationOf('--delay', values.delay ?? '500ms'), maxConnections: Number(max) },
    shown:
      sources === undefined
        ? { scenario: scenario === undefined ? demoScenario() : await scenarioFrom(scenario) }
        : { sources: sources.map((text) => ({ url: urlOf('--source', text), headers })) },
    token: sources === undefined ? tokenOf(values.token) : undefined,
  }
}

async function serveScenario(
  { listen, stream, token }: ServeSettings,
  scenario: Scenario,
  ended: AbortSignal,
): Promise<void> {
  const control = (registry: Demo['registry']): RequestListener | undefined =>
    token === undefined ? undefined : controlEndpoint(registry, { token })
  await using demo = new Demo(scenario)
  await using circuits = hystrixStream(demo.registry, stream)
  const server = createServer(site('/hystrix.stream', circuits, control(demo.registry)))
  demo.begin()
  await serveUntil(server, listen, ended)
}

async function serveSources(
  { listen, stream }: ServeSettings,
  sources: readonly Source[],
  ended: AbortSignal,
): Promise<void> {
  await using fleet = turbineStream(sources, stream)
  fleet.on('connect', ({ url }) => log(`connected ${plain(url)}`))
  fleet.on('lost', ({ url, error, retryIn }) =>
    log(`lost ${plain(url)}: ${plain(error.message)}; again in ${retryIn / 1000} s`),
  )
  await serveUntil(createServer(site('/turbine.stream', fleet, undefined)), listen, ended)
}

function site(path: string, stream: StreamEndpoint, control: RequestListener | undefined): RequestListener {
  const page = dashboardPage({ stream: path })
  return (request, response) => {
    const asked = request.url?.split('?', 1)[0]
    if (asked === path) stream(request, response)
    else if (asked === '/') page(request, response)
    else if (asked === '/control' && control !== undefined) control(request, response)
    else answerText(response, 404, `There are / and ${path}`)
  }
}

async function serveUntil(server: Server, { host, port }: ListenAddress, ended: AbortSignal): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  const shownHost = host.includes(':') ? `[${host}]` : host
  if (typeof address === 'object' && address !== null)
    log(`listening on http://${shownHost}:${address.port}/`)
  if (!ended.aborted) await once(ended, 'abort')
  log('stopped')
  server.close()
  server.closeAllConnections()
}

function log(line: string): void {
  process.stdout.write(`${line}\n`)
}
