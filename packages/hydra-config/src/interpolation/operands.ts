import { Place } from '../value/place.ts'
import { pythonString } from '../value/python-string.ts'
import { shownText } from '../value/secret.ts'
import { scalar, type Value } from '../value/value.ts'
import { unresolved } from './errors.ts'
import type { Frame } from './frame.ts'
import type { Template } from './program.ts'
import { survey } from './survey.ts'

/** Stands for a value that waits for the promise of a resolver. */
export const unsettled: Place = new Place(scalar(null))

const textMax = 2 ** 26
const depthMax = 1000

/** Takes the last operands; undefined where one of them is unsettled. Remembers whether a secret was among them. */
export function take(frame: Frame, count: number): Place[] | undefined {
  const { operands } = frame
  const taken = count === operands.length ? operands.splice(0) : operands.splice(operands.length - count)
  if (taken.includes(unsettled)) return undefined
  frame.guarded ||= holdSecret(taken)
  return taken
}

export function holdSecret(places: readonly Place[]): boolean {
  return places.some(({ value }) => survey(value).secret)
}

/**
 * Refuses a value that is too deep to be printed, marked or handed to a resolver: YAML and overrides hold none.
 * @throws HydraConfigError `INTERPOLATION_UNRESOLVED`
 */
export function ensureDepth(value: Value): void {
  if (survey(value).depth > depthMax) {
    throw unresolved('InterpolationResolutionError', `the value is nested deeper than ${depthMax}`)
  }
}

/** The text of a key, or of a part of a resolver's name. */
export function ensureText(frame: Frame): void {
  const place = frame.operands.at(-1)
  if (place === undefined || place === unsettled) return
  const { value } = place
  if (value.kind === 'scalar' && typeof value.value === 'string' && value.as === undefined) return
  throw unresolved(
    'InterpolationResolutionError',
    `a key or the name of a resolver is no text: ${shownText(value).slice(0, 60)}`,
  )
}

/** What a template says with texts in its gaps. */
export function filled(template: Template, operands: readonly Place[]): string {
  let at = 0
  let text = ''
  for (const part of template.parts) text += part ?? pythonString(operands[at++]?.value ?? scalar(''))
  return text
}

/**
 * A text with the operands in its gaps, as Python prints them.
 * @param secretText makes it where one of them is secret
 */
export function joined(
  template: Template,
  operands: readonly Place[],
  secretText: (parts: readonly (string | Value)[]) => Value,
): Value {
  if (operands.every(({ value }) => value.kind === 'scalar' && value.secret !== true)) {
    const text = filled(template, operands)
    if (text.length > textMax) throw tooLong()
    return scalar(text)
  }
  let at = 0
  let text = ''
  const parts = template.parts.map((part) => {
    const value = part ?? operands[at++]?.value ?? ''
    if (typeof value !== 'string') ensureDepth(value)
    text += typeof value === 'string' ? value : pythonString(value)
    if (text.length > textMax) throw tooLong()
    return value
  })
  return holdSecret(operands) ? secretText(parts) : scalar(text)
}

function tooLong(): Error {
  return unresolved('InterpolationResolutionError', `the text is longer than ${textMax} characters`)
}
