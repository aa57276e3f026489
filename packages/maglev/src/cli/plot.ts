import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Health } from '../backend.ts'
import { Maglev } from '../maglev.ts'
import type { ModeName } from '../mode/mode.ts'
import { type Command, countOf, numberOf, UsageError } from './arguments.ts'
import { lineChart, type Series } from './line-chart.ts'
import { rendezvousShares, ringPoints, ringShares } from './other-shares.ts'
import { type Range, rangeChart } from './range-chart.ts'

const usage = `Usage: maglev plot [options] [collateral|share]

Draws a figure as SVG, from tables built here and now.

  collateral        slots of live backends that move when others fail (the question of figure 12 of the Maglev paper)
  share             the largest and the smallest share of a live backend (figure 11), beside Karger's ring of ${ringPoints} points a
                    backend and rendezvous hashing, tables of the same size; mode stable also with most of --failures down

  --backends N      default 1000
  --size N          slots; a prime; once for each size, up to 3 (default 65537 and 655373)
  --failures LIST   percent of the backends that fail (default 0,0.1,0.5,1,2,3,4,5,7.5,10,15,20)
  --runs N          sets of failing backends for each point, of which the mean is drawn (default 3)
  --seed N          of the choice of those sets (default 1)
  -o, --output FILE write there instead of to standard output
`

type Figure = 'collateral' | 'share'

/** A few seconds. */
const rendezvousMax = 2e9

interface Experiment {
  readonly backends: number
  readonly sizes: readonly number[]
  readonly failures: readonly number[]
  readonly runs: number
  readonly seed: number
}

/** Of one mode, size and percentage of failures, as means of the runs, in percent. */
interface Sample {
  readonly failed: number
  /** Slots that moved without need, of all slots. */
  readonly collateral: number
  /** Slots of the backend with the most and the fewest, of an even share. */
  readonly largest: number
  readonly smallest: number
}

export const plot: Command = {
  summary: 'draw the movement of keys, or their shares, as SVG',
  usage,
  run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        backends: { type: 'string' },
        size: { type: 'string', multiple: true },
        failures: { type: 'string' },
        runs: { type: 'string' },
        seed: { type: 'string' },
        output: { type: 'string', short: 'o' },
      },
    })
    const [figure = 'collateral', ...rest] = positionals
    if ((figure !== 'collateral' && figure !== 'share') || rest.length > 0) {
      throw new UsageError(`name one figure, collateral or share, not ${positionals.join(' ')}`)
    }
    const sizes = values.size ?? ['65537', '655373']
    if (sizes.length > 3) throw new UsageError(`--size: at most 3 sizes, not ${sizes.length}`)
    const svg = draw(figure, {
      backends: countOf('--backends', values.backends ?? '1000', 2, 100_000),
      sizes: sizes.map((size) => numberOf('--size', size)),
      failures: failuresOf(values.failures ?? '0,0.1,0.5,1,2,3,4,5,7.5,10,15,20'),
      runs: countOf('--runs', values.runs ?? '3', 1, 1000),
      seed: countOf('--seed', values.seed ?? '1', 0, 999_999_999),
    })
    if (values.output === undefined) return svg
    try {
      writeFileSync(values.output, svg)
    } catch (error) {
      throw new UsageError(`--output: ${error instanceof Error ? error.message : String(error)}`)
    }
    return ''
  },
}

function failuresOf(list: string): number[] {
  const failures = list.split(',').map((text) => numberOf('--failures', text))
  const above = failures.find((percent) => percent >= 100)
  if (above !== undefined) throw new UsageError(`--failures: each must be below 100 percent, not ${above}`)
  if (failures.length < 2) throw new UsageError('--failures: a line needs two points or more')
  return failures.toSorted((a, b) => a - b)
}

function draw(figure: Figure, experiment: Experiment): string {
  const { backends, runs } = experiment
  const subtitle = `${grouped(backends)} backends; mean of ${runs} ${runs === 1 ? 'set' : 'sets'} of failures`
  const x = { label: 'Failed backends', unit: '%', from: 0, to: experiment.failures.at(-1) ?? 0 }
  if (figure === 'collateral') {
    return lineChart({
      title: 'Keys of live backends that move when others fail',
      subtitle,
      x,
      y: { label: 'Collateral moves', unit: '% of all keys', from: 0, to: 1 },
      series: collateralSeries(experiment),
    })
  }
  return rangeChart({
    title: 'The smallest and the largest share of a live backend',
    subtitle: `${grouped(backends)} backends`,
    x: 'How slots find their backend',
    y: { label: 'Share', unit: '% of an even one', from: 80, to: 120 },
    key: experiment.sizes.map((size) => `${grouped(size)} slots`),
    groups: shareGroups(experiment),
  })
}

/** The lines of mode stable lie on each other, so the worst of them stands for all. */
function collateralSeries(experiment: Experiment): Series[] {
  const stable = experiment.sizes.map((size) => samples('stable', size, experiment))
  const worst = experiment.failures.map((failed, index): [number, number] => [
    failed,
    Math.max(...stable.map((each) => each[index]?.collateral ?? 0)),
  ])
  return [
    ...experiment.sizes.map((size) => ({
      name: `classic, ${grouped(size)} slots`,
      points: samples('classic', size, experiment).map(({ failed, collateral }): [number, number] => [
        failed,
        collateral,
      ]),
    })),
    {
      name: experiment.sizes.length > 1 ? 'stable, the worst of the same sizes' : 'stable',
      points: worst,
    },
  ]
}

function shareGroups(experiment: Experiment): { name: string; bars: Range[] }[] {
  const { backends, sizes, failures } = experiment
  const work = backends * sizes.reduce((sum, size) => sum + size, 0)
  if (work > rendezvousMax) {
    throw new UsageError(
      `share: rendezvous hashing asks each backend about each slot, at most ${grouped(rendezvousMax)} times here, not ${grouped(work)}: take fewer --backends or a smaller --size`,
    )
  }
  const ids = idsOf(backends)
  const most = Math.max(...failures)
  const stable = sizes.map((size) => samples('stable', size, { ...experiment, failures: [0, most] }))
  const of = (shares: (ids: readonly string[], size: number) => Uint32Array): Range[] =>
    sizes.map((size) => rangeOf(shares(ids, size), size / backends))
  return [
    { name: 'Maglev', bars: stable.flatMap(([whole]) => whole ?? []) },
    ...(most > 0
      ? [{ name: `stable, ${most} % failed`, bars: stable.flatMap(([, failed]) => failed ?? []) }]
      : []),
    { name: `ring, ${grouped(ringPoints)} points`, bars: of(ringShares) },
    { name: 'rendezvous', bars: of(rendezvousShares) },
  ]
}

/** In percent of an even share. */
function rangeOf(slots: Uint32Array, even: number): Range {
  const [smallest, largest] = [Math.min(...slots), Math.max(...slots)]
  return { smallest: (100 * smallest) / even, largest: (100 * largest) / even }
}

function idsOf(backends: number): string[] {
  return Array.from({ length: backends }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:80`)
}

function samples(mode: ModeName, size: number, { backends, failures, runs, seed }: Experiment): Sample[] {
  const ids = idsOf(backends)
  const lb = new Maglev(ids, { mode, tableSize: size })
  return failures.map((failed) => {
    const count = Math.min(backends - 1, Math.round((backends * failed) / 100))
    const sum = { collateral: 0, largest: 0, smallest: 0 }
    for (let run = 0; run < runs; run++) {
      const down = chosen(ids, count, seed + run)
      const { collateral, byBackend } = lb.plan({
        health: Object.fromEntries(down.map((id): [string, Health] => [id, 'unhealthy'])),
      })
      const slots = [...byBackend.values()].map(({ after }) => after).filter((after) => after > 0)
      const even = size / (backends - count)
      sum.collateral += (100 * collateral) / size
      sum.largest += (100 * Math.max(...slots)) / even
      sum.smallest += (100 * Math.min(...slots)) / even
    }
    return {
      failed,
      collateral: sum.collateral / runs,
      largest: sum.largest / runs,
      smallest: sum.smallest / runs,
    }
  })
}

/** `count` of `ids`, the same for the same seed: a Fisher-Yates walk on a generator of Lehmer. */
function chosen(ids: readonly string[], count: number, seed: number): string[] {
  const order = [...ids]
  let state = (seed % 2_147_483_646) + 1
  for (let index = 0; index < count; index++) {
    state = (state * 48_271) % 2_147_483_647
    const other = index + (state % (order.length - index))
    const [a = '', b = ''] = [order[index], order[other]]
    order[index] = b
    order[other] = a
  }
  return order.slice(0, count)
}

function grouped(count: number): string {
  return count.toLocaleString('en-US')
}
