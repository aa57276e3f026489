import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { isHydraConfigError, parseOverride, parseYaml } from '@loadbearing/hydra-config'

/** The two parsers, as the worker is told which to time. */
export const parsers: Readonly<Record<'override' | 'YAML', (text: string) => void>> = {
  override: (text) => void parseOverride(text),
  YAML: (text) => void parseYaml(text),
}

interface Point {
  readonly characters: number
  readonly ms: number
}

/** What one shape of text took: the least time of each size, in milliseconds. */
export interface Growth {
  readonly shape: string
  /** Of each series. */
  readonly lines: readonly (readonly Point[])[]
}

/**
 * Sizes of texts, in series through each of which a straight line is laid.
 *
 * A `Map` of V8 has room for a power of two of keys, and is made anew with twice the room when that is used up: the time
 * of a key is the same on average, but of single sizes it has steps, by how full their Map ended. In a series that
 * doubles it is equally full at each size, so that what is seen is whether the time doubles with the text. That the line
 * does not depend on how full that is, two series show.
 */
export const series = {
  doubling: [1_000_000, 750_000].map((most) => [16, 8, 4, 2, 1].map((parts) => most / parts)),
  even: [Array.from({ length: 10 }, (_, at) => (at + 1) * 100_000)],
} as const

/** Texts that grow: of each shape so many repetitions as make the size. */
const shapes: Readonly<Record<keyof typeof parsers, Readonly<Record<string, (size: number) => string>>>> = {
  override: {
    list: (size) => `a=[${'x,'.repeat(size / 2)}x]`,
    words: (size) => `a=${'b c '.repeat(size / 4)}`,
    quoted: (size) => `a='${"\\' ".repeat(size / 3)}'`,
    dict: (size) => `a={${'k:1,'.repeat(size / 4)}k:1}`,
  },
  YAML: {
    'list of maps': (size) => `items:\n${'- a: 1\n  b: text\n'.repeat(size / 17)}`,
    map: (size) => {
      const lines = Array.from(
        { length: size / 20 },
        (_, at) => `key_${String(at).padStart(6, '0')}: ${at % 10}\n`,
      )
      return lines.join('')
    },
    'map of number keys': (size) =>
      Array.from({ length: size / 13 }, (_, at) => `${100_000_000 + at}: 1\n`).join(''),
    quoted: (size) => `a: "${'x '.repeat(size / 2)}"`,
    flow: (size) => `a: [${'x, '.repeat(size / 3)}x]`,
    literal: (size) => `a: |\n${'  line of text\n'.repeat(size / 15)}`,
  },
}

/** What the worker is given to do. */
export interface Task {
  readonly what: keyof typeof parsers
  readonly sizes: keyof typeof series
  readonly rounds: number
  /** Whether garbage is collected before each parse, outside of what is timed. */
  readonly apart: boolean
}

/** Sizes and shapes in turn, so that what else the machine does at a moment falls on all of them. */
function grow({ what, sizes, rounds, apart }: Task): Growth[] {
  const parse = parsers[what]
  const collect = apart ? youngCollector() : () => {}
  const found = Object.entries(shapes[what]).map(([shape, make]) => {
    const lines = series[sizes].map((line) =>
      line.map((size) => ({ text: make(size), ms: Number.POSITIVE_INFINITY })),
    )
    return { shape, lines, points: lines.flat() }
  })
  for (const { points } of found) for (const { text } of points.slice(0, 3)) parse(text)
  for (let round = 0; round < rounds; round++) {
    for (const at of series[sizes].flat().keys()) {
      for (const { points } of found) {
        const point = points[at]
        if (point === undefined) continue
        collect()
        point.ms = Math.min(point.ms, timeOf(parse, point.text))
      }
    }
  }
  return found.map(({ shape, lines }) => ({
    shape,
    lines: lines.map((points) => points.map(({ text, ms }) => ({ characters: text.length, ms }))),
  }))
}

/** Collects what the parses before have left, so that none of them is charged to the next one. */
function youngCollector(): () => void {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc !== 'function') throw new TypeError('V8 exposes no gc')
  return () => void gc({ type: 'minor' })
}

/**
 * By the clock, not in processor time: that is counted in ticks of several milliseconds, longer than most of these
 * texts take. What else the machine did meanwhile is left out by the least of several times.
 * @throws what the parser says of a text that it does not read to its end: that would be no measurement
 */
function timeOf(parse: (text: string) => void, text: string): number {
  const start = performance.now()
  parse(text)
  return performance.now() - start
}

/** As {@link timeOf}, where the parser may refuse the text. */
export function timeOfAny(parse: (text: string) => void, text: string): number {
  const start = performance.now()
  try {
    parse(text)
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
  }
  return performance.now() - start
}

if (parentPort !== null) {
  parentPort.postMessage(grow(workerData))
}
