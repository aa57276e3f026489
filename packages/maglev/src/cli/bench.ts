import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Backend } from '../backend.ts'
import { Maglev } from '../maglev.ts'
import type { MaglevOptions } from '../options.ts'
import { realClock } from '../ports.ts'
import {
  backendsOf,
  backendUsage,
  type Command,
  countOf,
  tableOptions,
  tableOptionsOf,
  tableOptionsUsage,
  UsageError,
} from './arguments.ts'

const usage = `Usage: maglev bench [options] [BACKEND...]

Measures, on this machine and for these backends, how long a table takes to build, to change and to look up.
Each figure is the median of its rounds.

  --backends N      N backends of equal weight instead of named ones (default 1000)
  --rounds N        rounds of each measurement (default 21)
${tableOptionsUsage}
${backendUsage}`

const warmUpRounds = 5
const lookupsEachRound = 200_000

export const bench: Command = {
  summary: 'measure building and looking up on this machine',
  usage,
  run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...tableOptions, backends: { type: 'string' }, rounds: { type: 'string' } },
    })
    if (values.backends !== undefined && positionals.length > 0) {
      throw new UsageError('--backends stands instead of named backends: give one or the other')
    }
    const rounds = countOf('--rounds', values.rounds ?? '21', 1, 10_000)
    const backends =
      positionals.length > 0
        ? backendsOf(positionals)
        : numbered(countOf('--backends', values.backends ?? '1000', 1, 1_000_000))
    return measure(backends, tableOptionsOf(values), rounds)
  },
}

function measure(backends: readonly Backend[], options: MaglevOptions, rounds: number): string {
  const lb = new Maglev(backends, options)
  const first = lb.backends.find(({ weight, health }) => weight > 0 && health === 'healthy')
  const strings = Array.from({ length: 4096 }, (_, n) => `user:${(n * 2_654_435_761) % 2 ** 32}:profile`)
  const integers = Float64Array.from(strings, (_, n) => (n * 2_654_435_761) % 2 ** 32)
  const rows: [string, string][] = [
    ['build', milliseconds(median(rounds, () => new Maglev(backends, options)))],
  ]
  if (first !== undefined && backends.length > 1) {
    const failAndReturn = (): void => {
      lb.setHealth(first.id, 'unhealthy')
      lb.setHealth(first.id, 'healthy')
    }
    rows.push(['one backend fails', milliseconds(median(rounds, failAndReturn) / 2)])
  }
  rows.push(
    ['look up a string', nanoseconds(median(rounds, () => lookUp(lb, strings)) / lookupsEachRound)],
    ['look up a number', nanoseconds(median(rounds, () => lookUp(lb, integers)) / lookupsEachRound)],
  )
  const [cpu] = cpus()
  return [
    `${backends.length} backends, ${lb.tableSize} slots, mode ${lb.mode}, hash ${lb.hash}`,
    `Node ${process.versions.node}, ${cpu?.model ?? process.arch}, median of ${rounds} rounds`,
    '',
    ...rows.map(([name, figure]) => `${name.padEnd(18)} ${figure.padStart(12)}`),
    '',
  ].join('\n')
}

/** Keeps the compiler from seeing that nobody needs the answers. */
let owned = 0

function lookUp(lb: Maglev, keys: readonly string[] | Float64Array): void {
  for (let n = 0; n < lookupsEachRound; n++) {
    if (lb.lookup(keys[n % keys.length] ?? 0) !== undefined) owned++
  }
}

/** Of `rounds` times, in milliseconds, after a warm-up. */
function median(rounds: number, work: () => unknown): number {
  const times: number[] = []
  for (let round = -warmUpRounds; round < rounds; round++) {
    const start = realClock.monotonic()
    work()
    if (round >= 0) times.push(realClock.monotonic() - start)
  }
  times.sort((a, b) => a - b)
  return times[Math.floor(times.length / 2)] ?? 0
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(3)} ms`
}

function nanoseconds(ms: number): string {
  return `${(ms * 1e6).toFixed(1)} ns`
}

function numbered(count: number): Backend[] {
  return Array.from({ length: count }, (_, n) => ({ id: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:80` }))
}
