/** A line chart as SVG: a few series over one axis of numbers, readable on light and on dark pages. */
export interface LineChart {
  readonly title: string
  readonly subtitle: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

interface Axis {
  readonly label: string
  readonly unit: string
  /** The axis begins and ends here unless the points go beyond. */
  readonly from: number
  readonly to: number
}

export interface Series {
  readonly name: string
  /** By x. */
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Number of its colour, from 0; series of one colour belong together. */
  readonly color: number
  readonly dashed?: boolean
}

const width = 760
const height = 460
const inset = 24
const legend = { top: 74, row: 20, columns: 2, column: 340 }
const plot = { left: 84, right: width - inset, bottom: height - 62 }

// Hues that colour-blind readers tell apart, and of enough contrast on either ground.
const style = `
  .ground { fill: #ffffff } .text { fill: #24292f } .quiet { fill: #57606a } .grid { stroke: #d8dee4 } .axis { stroke: #57606a }
  .c0 { stroke: #0f62c4; fill: #0f62c4 } .c1 { stroke: #c2410c; fill: #c2410c } .c2 { stroke: #0a7a5a; fill: #0a7a5a } .c3 { stroke: #7c3aad; fill: #7c3aad }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .text { fill: #e6edf3 } .quiet { fill: #9aa4af } .grid { stroke: #2b323b } .axis { stroke: #9aa4af }
    .c0 { stroke: #6cb0ff; fill: #6cb0ff } .c1 { stroke: #ff9a5c; fill: #ff9a5c } .c2 { stroke: #45d0a5; fill: #45d0a5 } .c3 { stroke: #c79bff; fill: #c79bff }
  }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif }
  .title { font-size: 17px; font-weight: 600 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
  .dashed { stroke-dasharray: 6 5 }
  .dot { stroke: none }
`

export function lineChart({ title, subtitle, x, y, series }: LineChart): string {
  const points = series.flatMap((each) => each.points)
  const top = legend.top + Math.ceil(series.length / legend.columns) * legend.row + 4
  const xTicks = ticks(
    x,
    points.map(([value]) => value),
  )
  const yTicks = ticks(
    y,
    points.map(([, value]) => value),
  )
  const atX = scale(xTicks, plot.left, plot.right)
  const atY = scale(yTicks, plot.bottom, top)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    text('text title', inset, 32, title),
    text('quiet', inset, 53, subtitle),
    ...keyOf(series),
    ...yTicks.flatMap((value) => [
      `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${atY(value)}" y2="${atY(value)}"/>`,
      text('quiet', plot.left - 9, Number(atY(value)) + 4, shownNumber(value, yTicks), 'end'),
    ]),
    ...xTicks.flatMap((value) => [
      `<line class="axis" x1="${atX(value)}" x2="${atX(value)}" y1="${plot.bottom}" y2="${plot.bottom + 5}"/>`,
      text('quiet', Number(atX(value)), plot.bottom + 21, shownNumber(value, xTicks), 'middle'),
    ]),
    `<line class="axis" x1="${plot.left}" x2="${plot.right}" y1="${plot.bottom}" y2="${plot.bottom}"/>`,
    text('text', (plot.left + plot.right) / 2, height - 16, `${x.label} (${x.unit})`, 'middle'),
    `<text class="text" text-anchor="middle" transform="translate(22 ${(top + plot.bottom) / 2}) rotate(-90)">${escaped(`${y.label} (${y.unit})`)}</text>`,
    ...series.flatMap((each) => line(each, atX, atY)),
    '</svg>',
    '',
  ].join('\n')
}

function keyOf(series: readonly Series[]): string[] {
  return series.flatMap(({ name, color, dashed }, index) => {
    const left = inset + (index % legend.columns) * legend.column
    const middle = legend.top + Math.floor(index / legend.columns) * legend.row
    return [
      `<line class="line c${color}${dashed ? ' dashed' : ''}" x1="${left}" x2="${left + 28}" y1="${middle}" y2="${middle}"/>`,
      text('text', left + 36, middle + 4, name),
    ]
  })
}

function line({ points, color, dashed }: Series, atX: Place, atY: Place): string[] {
  const path = points.map(([px, py]) => `${atX(px)},${atY(py)}`).join(' ')
  return [
    `<polyline class="line c${color}${dashed ? ' dashed' : ''}" points="${path}"/>`,
    ...(dashed
      ? []
      : points.map(([px, py]) => `<circle class="dot c${color}" cx="${atX(px)}" cy="${atY(py)}" r="3"/>`)),
  ]
}

type Place = (value: number) => string

function scale(values: readonly number[], start: number, end: number): Place {
  const from = values[0] ?? 0
  const to = values.at(-1) ?? 1
  return (value) => (start + ((value - from) / (to - from)) * (end - start)).toFixed(1)
}

/** Round numbers, about six, from below the least value to above the greatest. */
function ticks({ from, to }: Axis, values: readonly number[]): number[] {
  const least = Math.min(from, ...values)
  const most = Math.max(to, ...values)
  const rough = (most - least) / 6
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step = magnitude * ([1, 2, 2.5, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10)
  const first = Math.floor(least / step + 1e-9)
  const last = Math.ceil(most / step - 1e-9)
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
}

function shownNumber(value: number, among: readonly number[]): string {
  const step = (among[1] ?? 1) - (among[0] ?? 0)
  const digits =
    [0, 1, 2, 3, 4].find((count) => Math.abs(step - Number(step.toFixed(count))) < step / 1e6) ?? 5
  return value.toFixed(digits)
}

function text(
  kind: string,
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  return `<text class="${kind}" x="${x}" y="${y}"${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
