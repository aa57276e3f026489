import { originText } from '../value/origin-text.ts'
import type { Origin } from '../value/value.ts'
import type { HistoryStep, Provenance } from './provenance.ts'
import { valueText } from './value-text.ts'

/** How many levels of what interpolations read are written out. */
const levelsMax = 16
/** How much of a value is shown, in characters. */
const shownMax = 200

/**
 * A provenance to be read: the value, where it was written, what it took the place of, last first, and what its
 * interpolation read.
 */
export function explainText(provenance: Provenance): string {
  return `${linesOf(provenance, '', 0).join('\n')}\n`
}

function linesOf(provenance: Provenance, indent: string, level: number): string[] {
  const { path, value, origin, history, interpolation } = provenance
  const deeper = `${indent}  `
  const lines = [`${indent}${path === '' && origin.kind !== 'env' ? '' : `${path} = `}${shown(value)}`]
  if (origin.kind === 'env') lines[0] = `${indent}${origin.name} = ${shown(value)}  (${originText(origin)})`
  else if (history.length === 0) lines.push(`${deeper}from ${placeText(origin)}`)
  for (const [index, step] of history.toReversed().entries()) {
    lines.push(`${deeper}${index === 0 ? lastText(step) : earlierText(step)} ${writtenText(step)}`)
  }
  if (interpolation === undefined) return lines
  const { expr, reads, error } = interpolation
  lines.push(error === undefined ? `${deeper}${expr} reads` : `${deeper}${expr} fails: ${error.message}`)
  if (level >= levelsMax) return [...lines, `${deeper}  …`]
  for (const read of reads) lines.push(...linesOf(read, `${deeper}  `, level + 1))
  return lines
}

function lastText({ op, value }: HistoryStep): string {
  if (op === 'delete') return 'deleted by'
  return op === 'merge' ? `merged with ${shown(value)} from` : 'from'
}

function earlierText({ op, value }: HistoryStep): string {
  if (op === 'delete') return 'before that deleted by'
  return `before that ${op === 'merge' ? 'merged with ' : ''}${shown(value)} from`
}

/** The place, and the way there from the primary config. */
function writtenText({ origin, via }: HistoryStep): string {
  const chosen = via.at(-1)?.chosenBy
  if (chosen === undefined) return placeText(origin)
  const way = via.map(({ config }) => config).join(' > ')
  return `${placeText(origin)}  (${way}, chosen by ${placeText(chosen)})`
}

function placeText(origin: Origin): string {
  const text = originText(origin)
  if (origin.kind !== 'override') return text
  return `${text}, characters ${origin.start + 1} to ${origin.end}`
}

function shown(value: unknown): string {
  const text = valueText(value)
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}
