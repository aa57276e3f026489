import { HarnessError } from '../errors.ts'

/** A time span: milliseconds, or a number with its unit, such as `250`, `'30s'`, `'1.5m'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

// Node's timers reach no further: beyond it they fire at once.
const longestMs = 2 ** 31 - 1

/** `duration` in milliseconds; throws `BAD_OPTION` naming `option` when it is no span of 0 to 2^31-1 ms (24 days). */
export function toMs(option: string, duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : readSpan(duration)
  if (!(ms >= 0 && ms <= longestMs)) {
    throw new HarnessError(
      'BAD_OPTION',
      `${option} must be milliseconds (0 to ${longestMs}, which is 24 days) or a span such as '30s', got ${shown(duration)}`,
    )
  }
  return ms
}

function readSpan(text: unknown): number {
  const parts = /^(\d+(?:\.\d+)?) ?(ms|s|m|h)$/.exec(String(text))
  if (parts === null) return Number.NaN
  const unit = parts[2] as keyof typeof unitMs
  return Number(parts[1]) * unitMs[unit]
}

// JSON would show NaN and Infinity as null.
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
}
