import { type Axis, figure, plot, text } from './svg-figure.ts'

/** Bars as SVG that reach from a smallest to a largest value, in groups; the bars of a group differ in colour. */
export interface RangeChart {
  readonly title: string
  readonly subtitle: string
  readonly x: string
  readonly y: Axis
  /** Names of the colours, one for each bar of a group. */
  readonly key: readonly string[]
  readonly groups: readonly { readonly name: string; readonly bars: readonly Range[] }[]
}

export interface Range {
  readonly smallest: number
  readonly largest: number
}

const barWidth = 26
const gap = 22

export function rangeChart({ title, subtitle, x, y, key, groups }: RangeChart): string {
  const values = groups.flatMap(({ bars }) => bars.flatMap(({ smallest, largest }) => [smallest, largest]))
  // The least one has its number below it.
  const room = (Math.max(...values) - Math.min(...values)) / 12
  const groupWidth = (plot.right - plot.left) / groups.length
  return figure({ title, subtitle, key, x, y }, [...values, Math.min(...values) - room], (atY) =>
    groups.flatMap(({ name, bars }, index) => {
      const middle = plot.left + (index + 0.5) * groupWidth
      const first = middle - (bars.length * barWidth + (bars.length - 1) * gap) / 2
      return [
        text('text', middle, plot.bottom + 21, name, 'middle'),
        ...bars.flatMap(({ smallest, largest }, color) => {
          const left = first + color * (barWidth + gap)
          const [top, bottom] = [Number(atY(largest)), Number(atY(smallest))]
          // What differs by less than a pixel is to be seen as well.
          return [
            `<rect class="bar c${color}" x="${left.toFixed(1)}" width="${barWidth}" y="${top}" height="${Math.max(bottom - top, 1.5).toFixed(1)}"/>`,
            text('quiet mark', left + barWidth / 2, top - 6, largest.toFixed(1), 'middle'),
            text('quiet mark', left + barWidth / 2, bottom + 14, smallest.toFixed(1), 'middle'),
          ]
        }),
      ]
    }),
  )
}
