import { ZanzibarError } from '../errors.ts'
import { checkRecord, checkText } from '../given-kinds.ts'
import type { ConditionDefinition } from '../model/authorization-model.ts'
import type { Context } from '../tuple/tuple.ts'
import { CelError } from './cel-error.ts'
import { check } from './checker.ts'
import { decodeParameter, type Parameter } from './parameter.ts'
import { parse } from './parser.ts'
import type { Frame } from './plan.ts'
import { type Program, planProgram } from './planner.ts'
import { formatIssues } from './source.ts'
import { typeText } from './type.ts'
import { Aborted, unknown, type Value } from './value.ts'

/** What came of one evaluation. */
export interface Evaluation {
  /** False where the answer depends on a parameter that is missing. */
  readonly met: boolean
  /** Declared parameters that no context gives, in order of their names; OpenFGA refuses the question if there is one. */
  readonly missing: readonly string[]
  /** cel-go's actual cost. */
  readonly cost: number
}

export interface EvaluationLimits {
  /** What an evaluation may cost at most; `Infinity` for no limit. */
  readonly maxCost: number
}

/** A condition whose expression was checked. */
export interface CompiledCondition {
  readonly name: string
  /**
   * Evaluates with what the contexts give together, of which a later one overrides an earlier one.
   * Throws ZanzibarError `validation_error`, in OpenFGA's words, for a value of a wrong type, what goes wrong in the expression, and a cost above the limit.
   */
  evaluate(contexts: readonly (Context | undefined)[], limits: EvaluationLimits): Evaluation
  /** Why a tuple may not carry `context`: a parameter that is not declared, or a value that is not of its type. */
  contextProblem(context: Context): string | undefined
}

/** Compiles a condition of a model. Throws ZanzibarError `invalid_authorization_model`, in OpenFGA's words, where it is none or does not give a bool. */
export function compileCondition(definition: ConditionDefinition): CompiledCondition {
  checkRecord('definition', definition)
  checkText('definition.name', definition.name)
  checkText('definition.expression', definition.expression)
  const parameters = decodeParameters(definition)
  return new Condition(definition.name, parameters, compileExpression(definition, parameters))
}

/** The types of the declared parameters. */
function decodeParameters({ name, parameters = {} }: ConditionDefinition): ReadonlyMap<string, Parameter> {
  const decoded = new Map<string, Parameter>()
  for (const [key, declared] of Object.entries(parameters)) {
    const parameter = decodeParameter(declared)
    if (typeof parameter === 'string')
      throw uncompilable(name, `failed to decode parameter type for parameter '${key}': ${parameter}`)
    decoded.set(key, parameter)
  }
  return decoded
}

function compileExpression(
  { name, expression }: ConditionDefinition,
  parameters: ReadonlyMap<string, Parameter>,
): Program {
  const parsed = parse(expression)
  if (parsed.expression === undefined) throw uncompilable(name, formatIssues(name, expression, parsed.issues))
  const types = new Map(Array.from(parameters, ([key, { type }]) => [key, type]))
  const { checked, issues } = check(parsed.expression, types)
  if (issues.length > 0) throw uncompilable(name, formatIssues(name, expression, issues))
  const slots = new Map(Array.from(parameters.keys(), (key, slot) => [key, slot]))
  const program = planProgram(parsed.expression, checked, slots)
  if (typeof program === 'string') throw uncompilable(name, `condition expression construction: ${program}`)
  if (checked.type.kind !== 'bool')
    throw uncompilable(
      name,
      `expected a bool condition expression output, but got '${typeText(checked.type)}'`,
    )
  return program
}

function uncompilable(name: string, cause: string): ZanzibarError {
  return new ZanzibarError(
    'invalid_authorization_model',
    `failed to compile expression on condition '${name}' - ${cause}`,
  )
}

class Condition implements CompiledCondition {
  readonly name: string
  readonly #keys: readonly string[]
  readonly #parameters: readonly Parameter[]
  readonly #program: Program

  constructor(name: string, parameters: ReadonlyMap<string, Parameter>, program: Program) {
    this.name = name
    this.#keys = Array.from(parameters.keys())
    this.#parameters = Array.from(parameters.values())
    this.#program = program
  }

  evaluate(contexts: readonly (Context | undefined)[], { maxCost }: EvaluationLimits): Evaluation {
    const given = contexts.filter((context) => context !== undefined)
    if (this.#keys.length === 0 && given.some((context) => namesIn(context).length > 0))
      throw this.#failed(this.#typeFault('no parameters defined for the condition'))
    const missing: string[] = []
    const values = this.#keys.map((key, index) => {
      const value = this.#cast(key, index, given)
      if (value === undefined) missing.push(key)
      return value ?? (value === undefined ? unknown : null)
    })
    const frame: Frame = {
      parameters: values,
      locals: Array.from({ length: this.#program.localCount }, () => null),
      cost: 0,
      maxCost,
    }
    const met = this.#run(frame)
    return { met: met === true, missing: missing.toSorted(), cost: frame.cost }
  }

  contextProblem(context: Context): string | undefined {
    const keys = namesIn(context)
    if (keys.length === 0) return undefined
    if (this.#keys.length === 0) return this.#typeFault('no parameters defined for the condition')
    for (const [index, key] of this.#keys.entries()) {
      if (!has(context, key)) continue
      const value = this.#parameters[index]?.cast(context[key] ?? null)
      if (value instanceof CelError) return this.#typeFault(uncastable(key, value))
    }
    const undeclared = keys.find((key) => !this.#keys.includes(key))
    return undeclared === undefined ? undefined : `found invalid context parameter: ${undeclared}`
  }

  /** undefined where no context has it. */
  #cast(key: string, index: number, contexts: readonly Context[]): Value | undefined {
    const context = contexts.findLast((each) => has(each, key))
    const value = context === undefined ? undefined : this.#parameters[index]?.cast(context[key] ?? null)
    if (value instanceof CelError) throw this.#failed(this.#typeFault(uncastable(key, value)))
    return value
  }

  #run(frame: Frame): Value {
    let value: Value
    try {
      value = this.#program.step(frame)
    } catch (error) {
      if (!(error instanceof Aborted)) throw error
      value = new CelError(error.message)
    }
    if (value instanceof CelError)
      throw this.#failed(`'${this.name}' - failed to evaluate condition expression: ${value.message}`)
    return value
  }

  #typeFault(cause: string): string {
    return `parameter type error on condition '${this.name}' - ${cause}`
  }

  #failed(cause: string): ZanzibarError {
    return new ZanzibarError('validation_error', `failed to evaluate relationship condition: ${cause}`)
  }
}

function uncastable(key: string, { message }: CelError): string {
  return `failed to convert context parameter '${key}': ${message}`
}

/** What is undefined is not given, as in JSON. */
function has(context: Context, key: string): boolean {
  return Object.hasOwn(context, key) && context[key] !== undefined
}

function namesIn(context: Context): string[] {
  return Object.keys(context).filter((key) => has(context, key))
}
