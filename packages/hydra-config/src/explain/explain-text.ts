import { originText } from '../value/origin-text.ts'
import type { Origin } from '../value/value.ts'
import type { HistoryStep, Provenance } from './provenance.ts'

/** How many levels of what interpolations read are written out. */
const levelsMax = 16
/** How much of a value is shown, in characters. */
const shownMax = 100

/**
 * A provenance for people to read: the value, where it was written, what it took the place of, last first, and what its
 * interpolation read.
 */
export function explainText(provenance: Provenance): string {
  return `${linesOf(provenance, '', 0).join('\n')}\n`
}

function linesOf(provenance: Provenance, indent: string, level: number): string[] {
  const { path, value, origin, history, interpolation } = provenance
  const name = origin.kind === 'env' ? `${origin.name} of the environment` : path === '' ? 'the whole' : path
  const [last, ...before] = history.toReversed()
  const deeper = `${indent}  `
  const lines = [`${indent}${name}: ${valueText(value)}`]
  if (last === undefined) {
    if (origin.kind !== 'env') lines.push(`${deeper}from ${placeText(origin)}`)
  } else lines.push(`${deeper}${last.op === 'delete' ? 'deleted by' : lead(last)} ${writtenText(last)}`)
  for (const step of before) {
    const what =
      step.op === 'delete' ? 'deleted by' : `${lead(step, 'before that')} ${valueText(step.value)} from`
    lines.push(`${deeper}${what} ${writtenText(step)}`)
  }
  if (interpolation === undefined) return lines
  if (interpolation.error !== undefined) lines.push(`${deeper}no value: ${interpolation.error.message}`)
  lines.push(`${deeper}${interpolation.expr} reads`)
  if (level >= levelsMax) return [...lines, `${deeper}  …`]
  for (const read of interpolation.reads) lines.push(...linesOf(read, `${deeper}  `, level + 1))
  return lines
}

function lead({ op }: HistoryStep, otherwise: string = 'from'): string {
  return op === 'merge' ? 'merged with' : otherwise
}

/** The place, and the way there where that is not plain from the place. */
function writtenText({ origin, via }: HistoryStep): string {
  const chosen = via.at(-1)?.chosenBy
  return `${placeText(origin)}${chosen === undefined ? '' : `, chosen by ${placeText(chosen)}`}`
}

function placeText(origin: Origin): string {
  const text = originText(origin)
  if (origin.kind !== 'override') return text
  const { index, start, end } = origin
  return `${text} (number ${index + 1}, characters ${start + 1} to ${end})`
}

function valueText(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part))
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}
