import { dynType, formatType, isDyn, isSameType, type Type } from './type.ts'

/** What type parameters stand for, by their names. Never changed in place by a trial that failed. */
export type Substitutions = ReadonlyMap<string, Type>

/** The substitutions under which every type of `from` may stand where `to` asks for one; undefined where there are none. */
export function assignAll(
  known: Substitutions,
  from: readonly Type[],
  to: readonly Type[],
): Substitutions | undefined {
  const trial = new Map(known)
  return allAssignable(trial, from, to) ? trial : undefined
}

/** As {@link assignAll}, for one type. */
export function assign(known: Substitutions, from: Type, to: Type): Substitutions | undefined {
  return assignAll(known, [from], [to])
}

/** The more general of two types of which one may stand for the other. */
export function mostGeneral(one: Type, other: Type): Type {
  return isAsGeneral(one, other) ? one : other
}

/** `type` with every known parameter replaced; parameters that stay free become `dyn` where `freeIsDyn`. */
export function substitute(known: Substitutions, type: Type, freeIsDyn: boolean): Type {
  const found = known.get(formatType(type))
  if (found !== undefined) return substitute(known, found, freeIsDyn)
  if (type.kind === 'param') return freeIsDyn ? dynType : type
  if (type.parameters.length === 0) return type
  return { ...type, parameters: type.parameters.map((each) => substitute(known, each, freeIsDyn)) }
}

type Trial = Map<string, Type>

function allAssignable(known: Trial, from: readonly Type[], to: readonly Type[]): boolean {
  return (
    from.length === to.length &&
    from.every((type, index) => {
      const target = to[index]
      return target !== undefined && isAssignable(known, type, target)
    })
  )
}

function isAssignable(known: Trial, from: Type, to: Type): boolean {
  if (to.kind === 'param') {
    const { valid, known: decided } = tryParameter(known, from, to)
    if (valid || decided) return valid
  }
  if (from.kind === 'param') return tryParameter(known, to, from).valid
  if (isDynOrError(from) || isDynOrError(to)) return true
  if (from.kind === 'null') return isNullable(to)
  if (to.kind === 'null') return isNullable(from)
  if (from.kind !== to.kind) return false
  if (from.kind === 'type') return true
  if (from.kind === 'list' || from.kind === 'map') return allAssignable(known, from.parameters, to.parameters)
  return from.name === to.name
}

/** Whether `parameter` may stand for `type`, and whether it stood for something already. */
function tryParameter(known: Trial, type: Type, parameter: Type): { valid: boolean; known: boolean } {
  if (isSameType(type, parameter)) return { valid: true, known: true }
  const current = known.get(formatType(parameter))
  if (current === undefined) {
    const valid = isAbsentFrom(known, parameter, type)
    if (valid) known.set(formatType(parameter), type)
    return { valid, known: false }
  }
  if (isSameType(type, current)) return { valid: true, known: true }
  if (!isAssignable(known, type, current)) return { valid: false, known: true }
  const general = mostGeneral(type, current)
  if (isAbsentFrom(known, parameter, general)) known.set(formatType(parameter), general)
  return { valid: true, known: true }
}

function isDynOrError(type: Type): boolean {
  return type.kind === 'error' || isDyn(type)
}

function isNullable(type: Type): boolean {
  return ['any', 'duration', 'dyn', 'null', 'object', 'param', 'timestamp'].includes(type.kind)
}

function isAsGeneral(one: Type, other: Type): boolean {
  if (isDyn(one) || one.kind === 'param') return true
  if (isDyn(other) || other.kind === 'param' || one.kind !== other.kind) return false
  if (one.kind === 'type') return true
  if (one.kind !== 'list' && one.kind !== 'map') return isSameType(one, other)
  return one.parameters.every((parameter, index) => {
    const match = other.parameters[index]
    return match !== undefined && isAsGeneral(parameter, match)
  })
}

/** The occurs check: a parameter may not stand for a type it is part of. */
function isAbsentFrom(known: Trial, parameter: Type, type: Type): boolean {
  if (isSameType(parameter, type)) return false
  if (type.kind === 'param') {
    const found = known.get(formatType(type))
    return found === undefined || isAbsentFrom(known, parameter, found)
  }
  return type.parameters.every((inner) => isAbsentFrom(known, parameter, inner))
}
