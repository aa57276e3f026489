import { CelError } from './cel-error.ts'
import { isList } from './compare.ts'
import { typeNameOf } from './conversion.ts'
import { elementAt, hasElement } from './functions.ts'
import { type Attribute, charge, type Frame, type Plan, type Qualifier, type Step } from './plan.ts'
import { Uint } from './uint.ts'
import { CelMap, noSuchOverload, unknown, type Value } from './value.ts'

/** The plan, ready to run. A variable costs 1, as does every step into it; a ternary itself costs nothing. */
export function stepOf(plan: Plan): Step {
  if (plan.kind === 'step') return plan.step
  if (plan.kind === 'constant') {
    const { value } = plan
    return () => value
  }
  const resolve = resolverOf(plan.attribute)
  return plan.attribute.kind === 'conditional' ? resolve : charged(resolve)
}

function charged(resolve: Step): Step {
  return (frame) => {
    const value = resolve(frame)
    charge(frame, 1)
    return value
  }
}

/** The plan as something that can be entered. What is no variable becomes the root of a way. */
export function attributeOf(plan: Plan): Attribute {
  return plan.kind === 'attribute'
    ? plan.attribute
    : { kind: 'path', root: stepOf(plan), isParameter: false, qualifiers: [] }
}

/** As an index of something else, a variable costs nothing of its own. */
export function keyOf(plan: Plan): Step {
  return plan.kind === 'attribute' ? resolverOf(plan.attribute) : stepOf(plan)
}

/** One step further; both ways of a ternary go it. */
export function extend(attribute: Attribute, qualifier: Qualifier): Attribute {
  if (attribute.kind === 'path') return { ...attribute, qualifiers: [...attribute.qualifiers, qualifier] }
  const { whenTrue, whenFalse } = attribute
  return { ...attribute, whenTrue: extend(whenTrue, qualifier), whenFalse: extend(whenFalse, qualifier) }
}

function resolverOf(attribute: Attribute): Step {
  if (attribute.kind === 'conditional') return conditional(attribute)
  const { root, isParameter, qualifiers } = attribute
  const absent = isParameter ? absentResult(qualifiers) : () => unknown
  const steps = qualifiers.map(qualifierStep)
  const [first, ...rest] = steps
  if (first === undefined) return root
  if (rest.length === 0) {
    return (frame) => {
      const value = root(frame)
      if (value === unknown) return absent(frame)
      return value instanceof CelError ? value : first(frame, value)
    }
  }
  return (frame) => {
    let value = root(frame)
    if (value === unknown) return absent(frame)
    if (value instanceof CelError) return value
    for (const step of steps) {
      value = step(frame, value)
      if (value instanceof CelError) return value
    }
    return value
  }
}

/** Of a parameter that was not given: only what goes wrong in an index is told. */
function absentResult(qualifiers: readonly Qualifier[]): Step {
  const keys = qualifiers.filter(({ isConstant }) => !isConstant).map(({ key }) => key)
  return (frame) => {
    // cel-go looks there without counting.
    const uncounted: Frame = { ...frame, maxCost: Number.POSITIVE_INFINITY }
    for (const key of keys) {
      const value = key(uncounted)
      if (value instanceof CelError) return value
      if (value !== unknown && !isKey(value)) return invalidKey(value)
    }
    return unknown
  }
}

function isFinal(value: Value): boolean {
  return value === unknown || value instanceof CelError
}

function conditional({ condition, whenTrue, whenFalse }: Attribute & { kind: 'conditional' }): Step {
  const [yes, no] = [resolverOf(whenTrue), resolverOf(whenFalse)]
  return (frame) => {
    const chosen = condition(frame)
    if (chosen === true) return yes(frame)
    if (chosen === false) return no(frame)
    return isFinal(chosen) ? chosen : noSuchOverload
  }
}

function qualifierStep({ key, testOnly }: Qualifier): (frame: Frame, holder: Value) => Value {
  const enter = testOnly ? hasElement : elementAt
  return (frame, holder) => {
    const at = key(frame)
    const value = isFinal(at)
      ? at
      : holder === unknown
        ? unknown
        : isKey(at)
          ? enter(holder, at)
          : invalidKey(at)
    charge(frame, 1)
    return value
  }
}

/** Whether something can stand at it. */
export function isKey(value: Value): boolean {
  return ['string', 'bigint', 'number', 'boolean'].includes(typeof value) || value instanceof Uint
}

function invalidKey(key: Value): CelError {
  const type =
    key === null
      ? '<nil>'
      : isList(key)
        ? '[]interface {}'
        : key instanceof CelMap
          ? 'map[string]interface {}'
          : typeNameOf(key)
  return new CelError(`invalid qualifier type: ${type}`)
}
