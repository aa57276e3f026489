import type { State } from '../settings.ts'
import { outcomes, type SimulatedBreaker, type Simulation } from './simulation.ts'

const width = 980
const left = 24
const right = width - 24
const laneTop = 92
const laneHeight = 118
const callsHeight = 58
const stateHeight = 20

// Colours of enough contrast on either ground; states are named as well, where there is room.
const style = `
  .ground { fill: #ffffff } .text { fill: #1b2130 } .quiet { fill: #5d6678 } .axis { stroke: #aab1bf } .grid { stroke: #e6e9ef }
  .closed, .success { fill: #1f9d61 } .open, .failure { fill: #d43a4f } .half-open, .timeout { fill: #e0912b }
  .forced-open { fill: #8e2338 } .forced-closed { fill: #3f7cc9 } .metrics-only { fill: #6f8fb8 } .disabled { fill: #9aa3b2 }
  .rejected { fill: #8a63c9 } .shortCircuited { fill: #9db4d8 } .on { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #11141b } .text { fill: #e8ebf2 } .quiet { fill: #a3acbd } .axis { stroke: #5b6476 } .grid { stroke: #252b37 }
    .closed, .success { fill: #2fae74 } .open, .failure { fill: #f0576b } .half-open, .timeout { fill: #eba544 }
    .forced-open { fill: #b03a52 } .forced-closed { fill: #5b96e0 } .shortCircuited { fill: #4b618a } .rejected { fill: #a583e0 }
  }
  text { font: 12.5px system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif }
  .title { font-size: 17px; font-weight: 600 } .name { font-weight: 600; font-size: 13.5px }
`

/** The states of each breaker over time, and below them how its calls ended, as SVG. */
export function stateChart(title: string, { duration, breakers }: Simulation): string {
  const height = laneTop + breakers.length * laneHeight + 34
  const x = (at: number): string => (left + (at / duration) * (right - left)).toFixed(1)
  const bottom = height - 40
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    text('text title', left, 34, shortened(title, 90)),
    ...legend(breakers),
    ...ticks(duration).flatMap((at) => [
      `<line class="grid" x1="${x(at)}" x2="${x(at)}" y1="${laneTop - 14}" y2="${bottom}"/>`,
      text('quiet', Number(x(at)), bottom + 18, `${at / 1000} s`, at === 0 ? 'start' : 'middle'),
    ]),
    ...breakers.flatMap((each, index) => lane(each, laneTop + index * laneHeight, duration, x)),
    `<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`,
    '</svg>',
    '',
  ].join('\n')
}

function lane(
  { name, states, slices }: SimulatedBreaker,
  top: number,
  duration: number,
  x: (at: number) => string,
): string[] {
  const stateTop = top + 8
  const bands = states.flatMap(({ at, state }, index) => {
    const until = states[index + 1]?.at ?? duration
    // As wide as can be seen, however short it was.
    const band = Math.max(1, Number(x(until)) - Number(x(at)))
    const label = `<title>${escaped(`${state}, ${at / 1000} s to ${until / 1000} s`)}</title>`
    return [
      `<rect class="${state}" x="${x(at)}" y="${stateTop}" width="${band.toFixed(1)}" height="${stateHeight}">${label}</rect>`,
      ...(band > 12 + 7 * state.length ? [text('on', Number(x(at)) + 6, stateTop + 14, state)] : []),
    ]
  })
  const most = Math.max(1, ...slices.map((slice) => outcomes.reduce((sum, each) => sum + slice[each], 0)))
  const callsBottom = stateTop + stateHeight + callsHeight + 4
  const slice = duration / Math.max(1, slices.length)
  const bars = slices.flatMap((counts, index) => {
    let y = callsBottom
    return outcomes.flatMap((outcome) => {
      if (counts[outcome] === 0) return []
      const tall = (counts[outcome] / most) * callsHeight
      y -= tall
      const wide = Number(x((index + 1) * slice)) - Number(x(index * slice)) - 0.6
      return [
        `<rect class="${outcome}" x="${x(index * slice)}" y="${y.toFixed(1)}" width="${wide.toFixed(1)}" height="${tall.toFixed(1)}"/>`,
      ]
    })
  })
  return [text('text name', left, top, shortened(name, 100)), ...bands, ...bars]
}

const outcomeLabels = {
  success: 'success',
  failure: 'failure',
  timeout: 'timeout',
  rejected: 'rejected by the bulkhead',
  shortCircuited: 'short-circuited',
}

function legend(breakers: readonly SimulatedBreaker[]): string[] {
  const states = new Set<State>(breakers.flatMap((each) => each.states.map(({ state }) => state)))
  const ended = outcomes.filter((outcome) =>
    breakers.some(({ slices }) => slices.some((counts) => counts[outcome] > 0)),
  )
  const entries = [
    ...[...states].map((state) => [state, state] as const),
    ...ended.map((outcome) => [outcome, outcomeLabels[outcome]] as const),
  ]
  let place = left
  return entries.flatMap(([kind, label]) => {
    const at = place
    place += 34 + label.length * 6.8
    return [
      `<rect class="${kind}" x="${at}" y="49" width="11" height="11" rx="2"/>`,
      text('quiet', at + 17, 59, label),
    ]
  })
}

/** Round times, about ten. */
function ticks(duration: number): number[] {
  const rough = duration / 10
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step = magnitude * ([1, 2, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10)
  return Array.from({ length: Math.floor(duration / step) + 1 }, (_, index) => index * step)
}

function text(
  kind: string,
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' = 'start',
): string {
  return `<text class="${kind}" x="${x}" y="${y}"${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escaped(content)}</text>`
}

function shortened(content: string, most: number): string {
  return content.length > most ? `${content.slice(0, most)}…` : content
}

// XML knows neither most control characters nor lone surrogates.
function escaped(content: string): string {
  return content
    .toWellFormed()
    .replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
}
