import { HydraConfigError } from '../errors.ts'

const shownMax = 200

/** The error of an override that cannot be parsed. `start` is an index of UTF-16 code units into `text`. */
export function parseFailure(
  text: string,
  start: number,
  what: string,
  options: ErrorOptions = {},
): HydraConfigError {
  const offset = offsetOf(text, start)
  const shown = shownPart(text)
  const caret = text.length > shownMax || /[\r\n]/.test(text) ? '' : `\n  ${text}\n  ${' '.repeat(offset)}^`
  return new HydraConfigError('OVERRIDE_PARSE', `override '${shown}' ${what}, at offset ${offset}${caret}`, {
    ...options,
    class: 'OverrideParseException',
    offset,
  })
}

/** The error of an override whose functions cannot be called; as Hydra writes it. */
export function evaluationFailure(
  text: string,
  start: number,
  what: string,
  options: ErrorOptions = {},
): HydraConfigError {
  return new HydraConfigError('OVERRIDE_PARSE', `Error parsing override '${shownPart(text)}'\n${what}`, {
    ...options,
    class: 'OverrideParseException',
    offset: offsetOf(text, start),
  })
}

/** The error of a character that is no token; as Hydra draws it. */
export function lexerFailure(text: string, start: number): HydraConfigError {
  const offset = offsetOf(text, start)
  const shown = shownPart(text)
  const prefix = 'LexerNoViableAltException: '
  const caret = `${' '.repeat(Math.min(offset, shownMax) + prefix.length)}^`
  return new HydraConfigError(
    'OVERRIDE_PARSE',
    `${prefix}${shown}\n${caret}\nthe character at offset ${offset} must be quoted`,
    { class: 'OverrideParseException', offset },
  )
}

function shownPart(text: string): string {
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}

/** In Unicode characters. */
function offsetOf(text: string, start: number): number {
  return Array.from(text.slice(0, start)).length
}
