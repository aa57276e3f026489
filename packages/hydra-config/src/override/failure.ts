import { HydraConfigError } from '../errors.ts'

const shownMax = 200

/** The error of an override that cannot be parsed. `start` is an index of UTF-16 code units into `text`. */
export function parseFailure(
  text: string,
  start: number,
  what: string,
  options: ErrorOptions = {},
): HydraConfigError {
  const offset = Array.from(text.slice(0, start)).length
  const shown = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
  const caret = text.length > shownMax || /[\r\n]/.test(text) ? '' : `\n  ${text}\n  ${' '.repeat(offset)}^`
  return new HydraConfigError('OVERRIDE_PARSE', `override '${shown}' ${what}, at offset ${offset}${caret}`, {
    ...options,
    class: 'OverrideParseException',
    offset,
  })
}
