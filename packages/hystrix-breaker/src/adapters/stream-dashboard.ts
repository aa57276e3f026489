import { createHash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkNames } from '../option-checks.ts'
import { type Authorize, admit } from './stream-access.ts'
import { dashboardScript } from './stream-dashboard-script.ts'
import { dashboardStyle } from './stream-dashboard-style.ts'

export interface DashboardOptions {
  /** Where the page finds its stream, on its own host: a path, relative to the page or absolute. Default `hystrix.stream`. */
  readonly stream?: string
  /** Default `Circuits`. */
  readonly title?: string
  /** Whether a request may have the page; others get 401. Default: everybody who reaches it. */
  readonly authorize?: Authorize
}

/**
 * A page that shows `hystrix.stream` or `turbine.stream`: circuits, pools and collapsers with their rates, errors and
 * latencies, live. A listener for `node:http` that answers GET on every path. The page loads nothing else and allows
 * itself only its own script, style and host (Content-Security-Policy).
 *
 * @throws InvalidOptionError naming the option.
 */
export function dashboardPage(options: DashboardOptions = {}): RequestListener {
  checkNames('options', options, ['stream', 'title', 'authorize'])
  const { stream = 'hystrix.stream', title = 'Circuits', authorize } = options
  if (typeof title !== 'string') throw new InvalidOptionError(`title must be a text, not ${shown(title)}`)
  if (typeof stream !== 'string' || !isPath(stream))
    throw new InvalidOptionError(`stream must be a path such as /turbine.stream, not ${shown(stream)}`)
  const body = Buffer.from(pageText(title, stream))
  const headers = {
    'Content-Type': 'text/html;charset=UTF-8',
    'Content-Length': body.length,
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
  }
  return (request, response) => {
    admit(request, response, { methods: ['GET', 'HEAD'], authorize }, () => {
      response.writeHead(200, headers)
      response.end(request.method === 'HEAD' ? undefined : body)
    })
  }
}

const policy = [
  "default-src 'none'",
  `script-src '${sourceHash(dashboardScript)}'`,
  `style-src '${sourceHash(dashboardStyle)}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

function sourceHash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

function isPath(stream: string): boolean {
  const base = 'http://page.invalid/'
  return URL.parse(stream, base)?.origin === new URL(base).origin
}

const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#1a7f4b"/></svg>',
)}`

function pageText(title: string, stream: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="icon" href="${icon}">
<style>${dashboardStyle}</style>
</head>
<body data-stream="${escaped(stream)}">
<header>
<h1>${escaped(title)}</h1>
<span id="connection" role="status" data-state="connecting">Connecting</span>
<span id="summary"><b id="total">0</b> circuits, <b id="open">0</b> open</span>
<span class="spring"></span>
<input id="filter" type="search" placeholder="Filter by name" aria-label="Filter by name" autocomplete="off">
<select id="order" aria-label="Order">
<option value="health">Errors first</option>
<option value="volume">Busiest first</option>
<option value="latency">Slowest first</option>
<option value="name">By name</option>
</select>
</header>
<main>
<p id="empty">Nothing has been reported yet.</p>
<section hidden><h2>Circuits</h2><div id="commands" class="grid"></div></section>
<section hidden><h2>Bulkheads with a queue</h2><div id="pools" class="grid"></div></section>
<section hidden><h2>Collapsers</h2><div id="collapsers" class="grid"></div></section>
</main>
<noscript>This page needs JavaScript.</noscript>
<script>${dashboardScript}</script>
</body>
</html>
`
}

const entities: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities.get(character) ?? character)
}
