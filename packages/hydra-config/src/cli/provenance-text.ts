import type { Provenance } from '../explain/provenance.ts'
import { originText } from '../value/origin-text.ts'

/** A provenance to be read: the value, each step that made it, and what its interpolation read. */
export function provenanceText(found: Provenance, indent = ''): string {
  const { path, value, history, interpolation } = found
  const lines = [`${indent}${path === '' ? '' : `${path} = `}${valueText(value)}`]
  for (const { op, origin, value: written, via } of history) {
    const trail = via.length > 1 ? `  (${via.map(({ config }) => config).join(' > ')})` : ''
    const what = op === 'delete' ? '' : ` ${valueText(written)}`
    lines.push(`${indent}  ${op}${what}  ${originText(origin)}${trail}`)
  }
  if (history.length === 0) lines.push(`${indent}  ${originText(found.origin)}`)
  if (interpolation === undefined) return `${lines.join('\n')}\n`
  const { expr, reads, error } = interpolation
  lines.push(`${indent}  ${expr} ${error === undefined ? 'reads' : `fails: ${error.message}`}`)
  return `${lines.join('\n')}\n${reads.map((each) => provenanceText(each, `${indent}    `)).join('')}`
}

/** As JSON; integers beyond what JSON's readers hold stay whole. */
export function valueText(value: unknown): string {
  if (value === undefined) return 'nothing'
  return (
    JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each)) ??
    String(value)
  )
}
