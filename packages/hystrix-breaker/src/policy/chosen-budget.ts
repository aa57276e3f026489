import { InvalidOptionError, shown } from '../errors.ts'
import { RetryBudget } from '../retry-budget.ts'
import type { PipelineParts } from './policy.ts'

/** A policy's own budget, or that of its pipeline; undefined for no limit. */
export function chosenBudget(
  own: RetryBudget | false | undefined,
  parts: PipelineParts,
): RetryBudget | undefined {
  if (own === undefined) return parts.budget
  return own === false ? undefined : own
}

/** @throws InvalidOptionError */
export function checkBudget(budget: unknown): RetryBudget | false | undefined {
  if (budget === undefined || budget === false || budget instanceof RetryBudget) return budget
  throw new InvalidOptionError(`budget must be a RetryBudget or false, not ${shown(budget)}`)
}
