import { ZanzibarError } from '../errors.ts'
import { timeOf } from './protobuf-json/well-known.ts'

/** The parameters of a URL. */
export type Query = Pick<URLSearchParams, 'getAll'>

/** @throws ZanzibarError `validation_error` where it is given twice */
export function textParameter(query: Query, name: string): string {
  return parameter(query, name) ?? ''
}

/** @throws ZanzibarError `validation_error` where it is no 32-bit integer */
export function integerParameter(query: Query, name: string): number | undefined {
  const text = parameter(query, name)
  if (text === undefined) return undefined
  const problem = /^[-+]?\d+$/.test(text) ? rangeProblem(Number(text)) : 'invalid syntax'
  if (problem === undefined) return Number(text)
  throw unfit(name, `strconv.ParseInt: parsing ${JSON.stringify(text)}: ${problem}`)
}

/** Milliseconds since 1970. @throws ZanzibarError `validation_error` where it is no time of RFC 3339 */
export function timeParameter(query: Query, name: string): number | undefined {
  const text = parameter(query, name)
  if (text === undefined) return undefined
  const time = timeOf(text)
  if (time !== undefined) return time
  const layout = '"2006-01-02T15:04:05.999999999Z07:00"'
  throw unfit(name, `parsing time ${JSON.stringify(text)} as ${layout}: cannot parse ${unreadable(text)}`)
}

function parameter(query: Query, name: string): string | undefined {
  const given = query.getAll(name)
  if (given.length > 1)
    throw new ZanzibarError(
      'validation_error',
      `too many values for field ${JSON.stringify(name)}: ${given.join(', ')}`,
    )
  return given[0]
}

function rangeProblem(value: number): string | undefined {
  return value < -(2 ** 31) || value >= 2 ** 31 ? 'value out of range' : undefined
}

function unfit(name: string, problem: string): ZanzibarError {
  return new ZanzibarError('validation_error', `parsing field ${JSON.stringify(name)}: ${problem}`)
}

const timeParts: readonly (readonly [part: string, length: number, form: RegExp])[] = [
  ['2006', 4, /^\d{4}/],
  ['-', 1, /^-/],
  ['01', 2, /^\d\d/],
  ['-', 1, /^-/],
  ['02', 2, /^\d\d/],
  ['T', 1, /^T/],
  ['15', 2, /^\d\d/],
  [':', 1, /^:/],
  ['04', 2, /^\d\d/],
  [':', 1, /^:/],
  ['05', 2, /^\d\d/],
]

/** Where a time cannot be read on, as Go says it: the rest of the text, and the part of the layout. */
function unreadable(text: string): string {
  let rest = text
  for (const [part, length, form] of timeParts) {
    if (!form.test(rest)) return `${JSON.stringify(rest)} as ${JSON.stringify(part)}`
    rest = rest.slice(length)
  }
  return `${JSON.stringify(rest.replace(/^\.\d+/, ''))} as "Z07:00"`
}
