import { ZanzibarError } from '../errors.ts'

/** What a check comes to. */
export interface Decision {
  readonly allowed: boolean
  /** Why it cannot be told; `allowed` is false then. */
  readonly error: ZanzibarError | undefined
  /** Parameters of conditions that were not given, where it cannot be told. */
  readonly missing: readonly string[]
}

/** @throws ZanzibarError where it cannot be told */
export function allowed({ allowed: isAllowed, error }: Decision): boolean {
  if (error !== undefined) throw error
  return isAllowed
}

/** More tuples deep than the limit, as OpenFGA says it. */
export function tooDeep(): ZanzibarError {
  const message =
    'Authorization Model resolution required too many rewrite rules to be resolved. Check your authorization model for infinite recursion or too much nesting'
  return new ZanzibarError('authorization_model_resolution_too_complex', message)
}

/** Of a relation of an object, which leads back to itself in more ways than are walked. */
export function tooManyWays(object: string, relation: string): ZanzibarError {
  return new ZanzibarError(
    'authorization_model_resolution_too_complex',
    `'${object}#${relation}' depends on too many ways through tuples that lead back to themselves`,
  )
}
