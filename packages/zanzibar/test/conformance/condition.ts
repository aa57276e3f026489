import { compileCondition } from '../../src/condition/condition.ts'
import { ZanzibarError } from '../../src/errors.ts'
import { openFgaLimits } from '../../src/limits.ts'
import {
  type ParameterType,
  type ParameterTypeName,
  parameterTypeNames,
} from '../../src/model/authorization-model.ts'
import type { Context } from '../../src/tuple/tuple.ts'

/** What the port's `condition` takes; types as the DSL names them, `list<string>`. */
export interface ConditionQuestion {
  readonly expression: string
  readonly parameters: Readonly<Record<string, string>>
  readonly context: Context
}

/** Compiles and evaluates an expression as OpenFGA's limits allow it. Throws ZanzibarError, also for a parameter that is missing. */
export function answerCondition({ expression, parameters, context }: ConditionQuestion): {
  result: boolean
  cost: number
} {
  const declared = Object.fromEntries(Object.entries(parameters).map(([key, type]) => [key, typeNamed(type)]))
  const condition = compileCondition({ name: 'condition', expression, parameters: declared })
  const { met, missing, cost } = condition.evaluate([context], { maxCost: openFgaLimits.maxConditionCost })
  if (missing.length === 0) return { result: met, cost }
  throw new ZanzibarError(
    'validation_error',
    `failed to evaluate relationship condition: 'condition' - missing context parameters '[${missing.join(' ')}]'`,
  )
}

const typeNames: ReadonlySet<string> = new Set(parameterTypeNames)

function isTypeName(name: string): name is ParameterTypeName {
  return typeNames.has(name)
}

/** The type that the DSL writes so. */
export function typeNamed(text: string): ParameterType {
  const open = text.indexOf('<')
  const outer = `TYPE_NAME_${(open < 0 ? text : text.slice(0, open)).trim().toUpperCase()}`
  if (!isTypeName(outer) || (open >= 0 && !text.trimEnd().endsWith('>')))
    throw new ZanzibarError('invalid_authorization_model', `unknown condition parameter type '${text}'`)
  if (open < 0) return { type_name: outer }
  return { type_name: outer, generic_types: [typeNamed(text.slice(open + 1, text.lastIndexOf('>')))] }
}
