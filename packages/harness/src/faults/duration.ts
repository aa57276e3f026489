import { HarnessError } from '../errors.ts'

/** A time span: milliseconds, or a number with its unit, such as `250`, `'30s'`, `'1.5m'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `duration` in milliseconds; throws `BAD_OPTION` naming `option` when it is no finite span of at least 0. */
export function toMs(option: string, duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : readSpan(duration)
  if (!Number.isFinite(ms) || ms < 0) {
    throw new HarnessError(
      'BAD_OPTION',
      `${option} must be milliseconds (at least 0) or a span such as '30s', got ${JSON.stringify(duration)}`,
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
