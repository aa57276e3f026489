import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Growth, parsers, type series, type Task, timeOfAny } from './linear-rounds.ts'

/** How the time of a parser grows with the text. */
export interface Linear {
  /** Of the straight line through the least times of each size, for the series and shape of text where it fits worst. */
  readonly r2: number
  /** The shape of text where it fits worst. */
  readonly shape: string
}

/** So many rounds that each size is timed a few times without anything else at work. */
export const rounds = 60

/**
 * Times a parser on texts that grow to 1 MB, all sizes in turn, and takes of each size the least time.
 *
 * In the memory that V8 gives to young values by itself, 16 MB, a collection falls into every parse of some sizes and
 * of none below, which makes steps of a straight line. They belong to what else lives in the program, so that the time
 * of the parser is measured with room for all that one parse makes, collected before the next; the other way is
 * measured too.
 * @param youngMb how much memory young values get; what V8 takes by itself, and collects when it will, where undefined
 */
export async function growthOf(
  what: keyof typeof parsers,
  sizes: keyof typeof series,
  youngMb?: number,
): Promise<Linear> {
  const workerData: Task = { what, sizes, rounds, apart: youngMb !== undefined }
  const worker = new Worker(new URL('./linear-rounds.ts', import.meta.url), {
    workerData,
    resourceLimits: youngMb === undefined ? {} : { maxYoungGenerationSizeMb: youngMb },
  })
  const [grown]: Growth[][] = await once(worker, 'message')
  await worker.terminate()
  const fits = (grown ?? []).flatMap(({ shape, lines }) =>
    lines.map((points) => ({
      shape,
      r2: squaredCorrelation(points.map(({ characters, ms }) => [characters, ms])),
    })),
  )
  return fits.reduce((worst, each) => (each.r2 < worst.r2 ? each : worst), { shape: '', r2: 1 })
}

/** The longest time in milliseconds of any of so many texts of up to 1 kB, each tried three times. */
export function longestTime(what: keyof typeof parsers, texts: number): number {
  let longest = 0
  for (const text of hostileTexts(texts)) {
    const whole = what === 'override' ? `a=${text}` : text
    longest = Math.max(
      longest,
      leastOf(3, () => timeOfAny(parsers[what], whole)),
    )
  }
  return longest
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
