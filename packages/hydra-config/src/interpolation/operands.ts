import { pythonString, scalarString } from '../value/python-string.ts'
import { joinText, shownText } from '../value/secret.ts'
import { list, type MapKey, map, scalar, type Value } from '../value/value.ts'
import { unresolved } from './errors.ts'
import type { Frame } from './frame.ts'
import { Place } from './place.ts'
import type { Combination, Template } from './program.ts'
import { survey } from './survey.ts'

/** Stands for a value that waits for the promise of a resolver. */
export const unsettled: Place = new Place(scalar(null))

const valuesMax = 1_000_000
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
  if (value.kind === 'scalar' && typeof value.value === 'string') return
  throw unresolved(
    'InterpolationResolutionError',
    `a key or the name of a resolver is no text: ${shownText(value).slice(0, 60)}`,
  )
}

/** What a template says with texts in its gaps. */
export function filled(template: Template, operands: readonly Place[]): string {
  let at = 0
  let text = ''
  for (const part of template.parts) text += part ?? textOf(operands[at++])
  return text
}

function textOf(place: Place | undefined): string {
  const value = place?.value
  return value?.kind === 'scalar' ? scalarString(value.value) : ''
}

/** What is made of operands. */
export function combined(step: Combination, operands: readonly Place[]): Value {
  if (step.op === 'text') return joined(step.template, operands)
  return step.op === 'list' ? listOf(operands) : dictOf(operands)
}

/** A text with the operands in its gaps, as Python prints them; secret where one of them is. */
function joined(template: Template, operands: readonly Place[]): Value {
  if (operands.every(({ value }) => value.kind === 'scalar' && value.secret !== true)) {
    const text = filled(template, operands)
    if (text.length > textMax) throw tooLong()
    return scalar(text)
  }
  let at = 0
  let length = 0
  const parts = template.parts.map((part) => {
    const value = part ?? operands[at++]?.value ?? ''
    if (typeof value !== 'string') ensureDepth(value)
    length += typeof value === 'string' ? value.length : pythonString(value).length
    if (length > textMax) throw tooLong()
    return value
  })
  return joinText(parts)
}

function tooLong(): Error {
  return unresolved('InterpolationResolutionError', `the text is longer than ${textMax} characters`)
}

function listOf(operands: readonly Place[]): Value {
  ensureSize(operands)
  return list(operands.map(({ value }) => value))
}

function dictOf(operands: readonly Place[]): Value {
  ensureSize(operands)
  const pairs: [MapKey, Value][] = []
  for (const [at, item] of operands.entries()) {
    const key = operands[at - 1]
    if (at % 2 === 1 && key !== undefined) pairs.push([keyOf(key.value), item.value])
  }
  return map(pairs)
}

function keyOf(value: Value): MapKey {
  if (survey(value).secret) {
    throw unresolved('InterpolationResolutionError', 'a secret cannot be a key of a map, for keys are shown')
  }
  return value.kind === 'scalar' ? value.value : pythonString(value)
}

function ensureSize(operands: readonly Place[]): void {
  let size = 0
  for (const { value } of operands) size += survey(value).size
  if (size > valuesMax) {
    throw unresolved('InterpolationResolutionError', `the value would hold more than ${valuesMax} values`)
  }
}
