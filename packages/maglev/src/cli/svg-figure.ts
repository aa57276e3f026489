/** What figures have in common: size, colours, axes and words, readable on light and on dark pages. */

export interface Axis {
  readonly label: string
  readonly unit: string
  /** The axis begins and ends here unless the points go beyond. */
  readonly from: number
  readonly to: number
}

export interface Figure {
  readonly title: string
  readonly subtitle: string
  /** What is told apart by colour, the number of which is its index. */
  readonly key: readonly string[]
  readonly x: string
  readonly y: Axis
}

/** Where a value stands, in pixels. */
export type Place = (value: number) => string

const width = 760
const height = 460
const inset = 24
const legend = { top: 74, row: 20, columns: 2, column: 340 }
export const plot: { readonly left: number; readonly right: number; readonly bottom: number } = {
  left: 84,
  right: width - inset,
  bottom: height - 62,
}

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
  .dot, .bar { stroke: none } .mark { font-size: 11px }
`

/** The whole SVG; `draw` adds what stands between the axes, given where values of y stand there. */
export function figure(
  { title, subtitle, key, x, y }: Figure,
  values: readonly number[],
  draw: (atY: Place) => string[],
): string {
  const top = legend.top + Math.ceil(key.length / legend.columns) * legend.row + 4
  const yTicks = ticks(y, values)
  const atY = scale(yTicks, plot.bottom, top)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    text('text title', inset, 32, title),
    text('quiet', inset, 53, subtitle),
    ...key.flatMap(keyed),
    ...yTicks.flatMap((value) => [
      `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${atY(value)}" y2="${atY(value)}"/>`,
      text('quiet', plot.left - 9, Number(atY(value)) + 4, shownNumber(value, yTicks), 'end'),
    ]),
    `<line class="axis" x1="${plot.left}" x2="${plot.right}" y1="${plot.bottom}" y2="${plot.bottom}"/>`,
    text('text', (plot.left + plot.right) / 2, height - 16, x, 'middle'),
    `<text class="text" text-anchor="middle" transform="translate(22 ${(top + plot.bottom) / 2}) rotate(-90)">${escaped(`${y.label} (${y.unit})`)}</text>`,
    ...draw(atY),
    '</svg>',
    '',
  ].join('\n')
}

function keyed(name: string, color: number): string[] {
  const left = inset + (color % legend.columns) * legend.column
  const middle = legend.top + Math.floor(color / legend.columns) * legend.row
  return [
    `<line class="line c${color}" x1="${left}" x2="${left + 28}" y1="${middle}" y2="${middle}"/>`,
    text('text', left + 36, middle + 4, name),
  ]
}

export function scale(values: readonly number[], start: number, end: number): Place {
  const from = values[0] ?? 0
  const to = values.at(-1) ?? 1
  return (value) => (start + ((value - from) / (to - from)) * (end - start)).toFixed(1)
}

/** Round numbers, about six, from below the least value to above the greatest. */
export function ticks({ from, to }: Axis, values: readonly number[]): number[] {
  const least = Math.min(from, ...values)
  const most = Math.max(to, ...values)
  const rough = (most - least) / 6
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step = magnitude * ([1, 2, 2.5, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10)
  const first = Math.floor(least / step + 1e-9)
  const last = Math.ceil(most / step - 1e-9)
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
}

export function shownNumber(value: number, among: readonly number[]): string {
  const step = (among[1] ?? 1) - (among[0] ?? 0)
  const digits =
    [0, 1, 2, 3, 4].find((count) => Math.abs(step - Number(step.toFixed(count))) < step / 1e6) ?? 5
  return value.toFixed(digits)
}

export function text(
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
