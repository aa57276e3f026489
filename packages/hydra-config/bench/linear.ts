import { isHydraConfigError, parseOverride, parseYaml } from '@loadbearing/hydra-config'

/** How the time of a parser grows with the text. */
export interface Linear {
  /** Of the straight line through the least times of each size. */
  readonly r2: number
  /** The longest time of any text of up to 1 kB, each tried three times. */
  readonly largestMs: number
}

const rounds = 5

const parsers = {
  override: (text: string) => void parseOverride(text),
  YAML: (text: string) => void parseYaml(text),
}

/** Texts that grow: of each shape so many repetitions as make the size. */
const shapes = {
  override: (size: number) => [
    `a=[${'x,'.repeat(size / 2)}x]`,
    `a=${'b c '.repeat(size / 4)}`,
    `a='${"\\\\' ".repeat(size / 4)}'`,
    `a={${'k:1,'.repeat(size / 4)}k:1}`,
  ],
  YAML: (size: number) => [
    'key: value\n'.repeat(1).concat('- item\n'.repeat(0)) + list(size),
    `a: "${'x '.repeat(size / 2)}"`,
    `a: [${'x, '.repeat(size / 3)}x]`,
    `a: |\n${'  line of text\n'.repeat(size / 15)}`,
  ],
}

function list(size: number): string {
  return `items:\n${'- a: 1\n  b: text\n'.repeat(size / 17)}`
}

export function parseTimes(what: keyof typeof parsers): Linear {
  const parse = parsers[what]
  const sizes = [125_000, 250_000, 375_000, 500_000, 625_000, 750_000, 875_000, 1_000_000]
  for (const text of shapes[what](100_000)) timeOf(parse, text)
  // The least of several times, the sizes in turn: what else the machine does at a moment falls on all of them.
  const least = new Map<number, number[]>()
  for (let round = 0; round < rounds; round++) {
    for (const size of sizes) {
      const times = shapes[what](size).map((text) => timeOf(parse, text))
      const before = least.get(size) ?? times
      least.set(
        size,
        times.map((time, at) => Math.min(time, before[at] ?? time)),
      )
    }
  }
  const points = Array.from(
    least,
    ([size, times]) => [size, times.reduce((sum, time) => sum + time)] as const,
  )
  let largestMs = 0
  for (const text of hostileTexts(20_000)) {
    largestMs = Math.max(
      largestMs,
      leastOf(3, () => timeOf(parse, what === 'override' ? `a=${text}` : text)),
    )
  }
  return { r2: squaredCorrelation(points), largestMs }
}

function timeOf(parse: (text: string) => void, text: string): number {
  const start = performance.now()
  try {
    parse(text)
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
  }
  return performance.now() - start
}

function leastOf(times: number, measure: () => number): number {
  return Math.min(...Array.from({ length: times }, measure))
}

/** Repetitions that make a parser look ahead or back: up to 1 kB each, the same ones each time. */
function* hostileTexts(count: number): Generator<string> {
  const pieces = [
    '(',
    '[',
    '{',
    '${',
    "'",
    '"',
    '\\',
    'a',
    ' ',
    ',',
    ':',
    '=',
    '- ',
    '&a ',
    '? ',
    '1',
    '_',
    '.',
    '\n',
    'int(',
    'range(',
    '|',
    '#',
  ]
  let state = 1
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  for (let at = 0; at < count; at++) {
    let text = ''
    for (let parts = 1 + below(4); parts > 0; parts--) {
      const piece = `${pieces[below(pieces.length)]}${pieces[below(pieces.length)]}`
      text += piece.repeat(1 + below(Math.floor(1000 / piece.length)))
    }
    yield text.slice(0, 1000)
  }
}

function squaredCorrelation(points: readonly (readonly [number, number])[]): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const sum = (term: (dx: number, dy: number) => number): number =>
    points.reduce((total, [px, py]) => total + term(px - x, py - y), 0)
  return sum((dx, dy) => dx * dy) ** 2 / (sum((dx) => dx * dx) * sum((_, dy) => dy * dy))
}
