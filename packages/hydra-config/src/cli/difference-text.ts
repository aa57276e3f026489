import type { Change } from '../compose/changes.ts'
import { valueText } from '../explain/value-text.ts'
import { originText } from '../value/origin-text.ts'

/** A difference to be read, with where each side was written. */
export function differenceText(change: Change): string {
  const lines = [change.path === '' ? '(all)' : change.path]
  if (change.op !== 'added') lines.push(`  - ${sideText(change.before)}`)
  if (change.op !== 'removed') lines.push(`  + ${sideText(change.after)}`)
  return `${lines.join('\n')}\n`
}

function sideText({
  value,
  origin,
}: {
  readonly value: unknown
  readonly origin: Parameters<typeof originText>[0] | undefined
}): string {
  return `${valueText(value)}${origin === undefined ? '' : `  ${originText(origin)}`}`
}
