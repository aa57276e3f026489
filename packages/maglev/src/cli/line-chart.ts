import { type Axis, figure, plot, scale, shownNumber, text, ticks } from './svg-figure.ts'

/** A line chart as SVG: a few series over one axis of numbers. */
export interface LineChart {
  readonly title: string
  readonly subtitle: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

export interface Series {
  readonly name: string
  /** By x. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

export function lineChart({ title, subtitle, x, y, series }: LineChart): string {
  const points = series.flatMap((each) => each.points)
  const xTicks = ticks(
    x,
    points.map(([value]) => value),
  )
  const atX = scale(xTicks, plot.left, plot.right)
  return figure(
    { title, subtitle, key: series.map(({ name }) => name), x: `${x.label} (${x.unit})`, y },
    points.map(([, value]) => value),
    (atY) => [
      ...xTicks.flatMap((value) => [
        `<line class="axis" x1="${atX(value)}" x2="${atX(value)}" y1="${plot.bottom}" y2="${plot.bottom + 5}"/>`,
        text('quiet', Number(atX(value)), plot.bottom + 21, shownNumber(value, xTicks), 'middle'),
      ]),
      ...series.flatMap(({ points: own }, color) => [
        `<polyline class="line c${color}" points="${own.map(([px, py]) => `${atX(px)},${atY(py)}`).join(' ')}"/>`,
        ...own.map(([px, py]) => `<circle class="dot c${color}" cx="${atX(px)}" cy="${atY(py)}" r="3"/>`),
      ]),
    ],
  )
}
