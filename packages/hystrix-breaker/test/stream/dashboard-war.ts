import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { get } from 'node:http'
import { extname, join, normalize } from 'node:path'

const home = join(import.meta.dirname, '../../../../node_modules/.cache/hystrix-dashboard')
const marker = join(home, 'monitor/monitor.html')

/**
 * The folder of the real dashboard, fetched from Maven Central where it is not there yet; or why it cannot be had,
 * also on standard error. @throws where the environment variable CI is set.
 */
export function dashboardWar(): { home: string } | { missing: string } {
  if (!existsSync(marker)) {
    const pom = join(import.meta.dirname, 'hystrix-dashboard.pom.xml')
    const [program, ...args] = ['mvn', '-B', '-q', '-ntp', '-f', pom, 'dependency:unpack-dependencies']
    const { error, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 120_000 })
    if (!existsSync(marker)) {
      const reason = error?.message ?? stdout.split('\n', 1)[0] ?? 'no reason given'
      return missing(`the dashboard cannot be fetched from Maven Central (${reason})`)
    }
  }
  return { home }
}

/** Speaks of a skip, or fails where everything must run. */
export function missing(reason: string): { missing: string } {
  if (!['', '0', 'false', undefined].includes(process.env['CI'])) throw new Error(`CI is set, but ${reason}`)
  process.stderr.write(`loadbearing: skipping tests: ${reason}\n`)
  return { missing: reason }
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.png': 'image/png',
}

/** Serves the dashboard as its servlet container does: its files, and `proxy.stream?origin=` for the streams. */
export function dashboardServer(folder: string): RequestListener {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (url.pathname === '/proxy.stream') {
      carry(url.searchParams.get('origin') ?? '', request, response)
      return
    }
    const file = normalize(join(folder, url.pathname))
    const type = types[extname(file)]
    if (!file.startsWith(folder) || type === undefined || !existsSync(file)) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'Content-Type': type }).end(readFileSync(file))
  }
}

function carry(origin: string, request: IncomingMessage, response: ServerResponse): void {
  const upstream = get(origin, { agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, { 'Content-Type': 'text/event-stream;charset=UTF-8' })
    answer.pipe(response)
  })
  upstream.on('error', () => response.destroy())
  response.on('close', () => upstream.destroy())
  request.resume()
}

/** The two functions that the dashboard takes from underscore.js, which it loads from a host outside of the war. */
export const underscore = `window._ = {
  map: (list, each) => list.map((value, index) => each(value, index)),
  reduce: (list, each, first) => list.reduce((sum, value, index) => each(sum, value, index), first),
}`
