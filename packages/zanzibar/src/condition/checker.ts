import { functions, type Overload, typeNames } from './declarations.ts'
import type {
  CallExpression,
  Comprehension,
  Expression,
  IdentifierExpression,
  MapExpression,
  SelectExpression,
} from './expression.ts'
import { accumulator } from './expression.ts'
import type { Issue } from './source.ts'
import {
  boolType,
  bytesType,
  doubleType,
  dynType,
  errorType,
  firstParameter,
  formatType,
  intType,
  isDyn,
  isSameType,
  listOf,
  mapOf,
  nullType,
  secondParameter,
  stringType,
  type Type,
  typeOfType,
  typeParameter,
  uintType,
} from './type.ts'
import { Uint } from './uint.ts'
import { assign, assignAll, mostGeneral, type Substitutions, substitute } from './unify.ts'

/** What a checked expression is known to be. */
export interface Checked {
  readonly type: Type
  /** The one overload that a call can only be; without one it is decided at run time. */
  readonly overloadOf: (call: Expression) => string | undefined
  /** What an identifier or a chain of names stands for, where it is no field access. */
  readonly referenceOf: (expression: Expression) => Reference | undefined
}

type Reference =
  | { readonly kind: 'parameter'; readonly name: string }
  /** Of the macro that binds it; the innermost one of that name. */
  | { readonly kind: 'local'; readonly name: string }
  | { readonly kind: 'type'; readonly type: Type }

/** Checks the types of an expression, as cel-go's checker does without containers and protobuf messages. */
export function check(
  expression: Expression,
  parameters: ReadonlyMap<string, Type>,
): { checked: Checked; issues: readonly Issue[] } {
  const checker = new Checker(parameters)
  const type = checker.check(expression)
  return {
    checked: {
      type: substitute(checker.substitutions, type, true),
      overloadOf: (call) => {
        const matched = checker.overloads.get(call)
        return matched?.length === 1 ? matched[0] : undefined
      },
      referenceOf: (node) => checker.references.get(node),
    },
    issues: checker.issues,
  }
}

class Checker {
  readonly issues: Issue[] = []
  readonly overloads = new Map<Expression, readonly string[]>()
  readonly references = new Map<Expression, Reference>()
  substitutions: Substitutions = new Map()
  readonly #types = new Map<Expression, Type>()
  readonly #parameters: ReadonlyMap<string, Type>
  /** Variables of macros, the innermost one last. */
  readonly #locals: { readonly name: string; readonly type: Type }[] = []
  #freeCount = 0
  /** cel-go forgets to hide these overloads from the first macro on. */
  #hasCrossType = false

  constructor(parameters: ReadonlyMap<string, Type>) {
    this.#parameters = parameters
  }

  check(expression: Expression): Type {
    const type = this.#typeOf(expression)
    this.#types.set(expression, type)
    return type
  }

  #typeOf(expression: Expression): Type {
    switch (expression.kind) {
      case 'literal':
        return literalType(expression.value)
      case 'identifier':
        return this.#identifier(expression)
      case 'select':
        return this.#select(expression)
      case 'call':
        return this.#call(expression)
      case 'list': {
        const element = expression.elements.reduce<Type | undefined>(
          (joined, each) => this.#join(joined, this.check(each)),
          undefined,
        )
        return listOf(element ?? this.#freeParameter())
      }
      case 'map':
        return this.#map(expression)
      case 'comprehension':
        return this.#comprehension(expression)
      case 'message':
    }
    this.#report(expression.at, undeclared(expression.name))
    return errorType
  }

  #report(at: number, message: string): void {
    this.issues.push({ at, message })
  }

  #freeParameter(): Type {
    const type = typeParameter(`_var${this.#freeCount}`)
    this.#freeCount += 1
    return type
  }

  /** Whether `from` may stand where `to` is asked for, which may settle type parameters. */
  #assign(from: Type, to: Type): boolean {
    const result = assign(this.substitutions, from, to)
    if (result === undefined) return false
    this.substitutions = result
    return true
  }

  #join(previous: Type | undefined, current: Type): Type {
    if (previous === undefined) return current
    return this.#assign(previous, current) ? mostGeneral(previous, current) : dynType
  }

  #identifier(expression: IdentifierExpression): Type {
    const found = this.#resolve(expression.name)
    if (found === undefined) {
      this.#report(expression.at, undeclared(expression.name))
      return errorType
    }
    this.references.set(expression, found.reference)
    return found.type
  }

  /** A leading dot passes over the variables of macros. */
  #resolve(name: string): { type: Type; reference: Reference } | undefined {
    const isGlobal = name.startsWith('.')
    const bare = isGlobal ? name.slice(1) : name
    const local = isGlobal ? undefined : this.#locals.findLast((each) => each.name === bare)
    if (local !== undefined) return { type: local.type, reference: { kind: 'local', name: bare } }
    const parameter = this.#parameters.get(bare)
    if (parameter !== undefined) return { type: parameter, reference: { kind: 'parameter', name: bare } }
    const type = typeNames.get(bare)
    return type === undefined ? undefined : { type: typeOfType(type), reference: { kind: 'type', type } }
  }

  #select(expression: SelectExpression): Type {
    const names = expression.testOnly ? undefined : qualifiedName(expression)
    const first = names?.split('.', 1)[0]
    if (names !== undefined && !this.#locals.some(({ name }) => name === first)) {
      const found = this.#resolve(names)
      if (found !== undefined) {
        this.references.set(expression, found.reference)
        return found.type
      }
    }
    const field = this.#fieldType(expression)
    return expression.testOnly ? boolType : substitute(this.substitutions, field, false)
  }

  #fieldType({ operand, at }: SelectExpression): Type {
    const type = substitute(this.substitutions, this.check(operand), false)
    if (type.kind === 'map') return secondParameter(type)
    if (type.kind === 'object') {
      this.#report(at, `unexpected failed resolution of '${type.name}'`)
      return errorType
    }
    if (type.kind === 'param') this.#assign(dynType, type)
    else if (!isDyn(type) && type.kind !== 'error')
      this.#report(at, `type '${formatType(type)}' does not support field selection`)
    return dynType
  }

  #call(call: CallExpression): Type {
    for (const argument of call.arguments) this.check(argument)
    if (call.target !== undefined) this.check(call.target)
    const overloads = functions().get(withoutDot(call.function))
    if (overloads === undefined) {
      this.#report(call.at, undeclared(call.function))
      return errorType
    }
    const operands = call.target === undefined ? call.arguments : [call.target, ...call.arguments]
    const types = operands.map((operand) => this.#types.get(operand) ?? errorType)
    if (call.function === '_&&_' || call.function === '_||_') return this.#logical(call, operands, types)
    return this.#resolveOverload(call, overloads, types)
  }

  #logical(call: CallExpression, operands: readonly Expression[], types: readonly Type[]): Type {
    let result = boolType
    for (const [index, type] of types.entries()) {
      if (this.#assign(type, boolType)) continue
      this.#report(operands[index]?.at ?? call.at, `expected type 'bool' but found '${formatType(type)}'`)
      result = errorType
    }
    return result
  }

  #resolveOverload(call: CallExpression, overloads: readonly Overload[], types: readonly Type[]): Type {
    const isMember = call.target !== undefined
    const matched: string[] = []
    let result: Type | undefined
    for (const overload of overloads) {
      if (overload.isMember !== isMember || (overload.isCrossType && !this.#hasCrossType)) continue
      const fresh = this.#instantiate(overload)
      const found = assignAll(this.substitutions, types, fresh.arguments)
      if (found === undefined) continue
      this.substitutions = found
      matched.push(overload.id)
      const type = substitute(this.substitutions, fresh.result, false)
      if (result === undefined) result = type
      else if (!isDyn(result) && !isSameType(type, result)) result = dynType
    }
    this.overloads.set(call, matched)
    if (result !== undefined) return result
    const [target, ...rest] = types.map((type) => formatType(substitute(this.substitutions, type, true)))
    const all = target === undefined ? [] : [target, ...rest]
    const signature = isMember ? `${target}.(${rest.join(', ')})` : `(${all.join(', ')})`
    this.#report(
      call.at,
      `found no matching overload for '${withoutDot(call.function)}' applied to '${signature}'`,
    )
    return errorType
  }

  /** The overload with type parameters of its own. */
  #instantiate(overload: Overload): { arguments: readonly Type[]; result: Type } {
    if (overload.parameters.length === 0) return overload
    const fresh = new Map(overload.parameters.map((name) => [name, this.#freeParameter()]))
    return {
      arguments: overload.arguments.map((type) => substitute(fresh, type, false)),
      result: substitute(fresh, overload.result, false),
    }
  }

  #map({ entries }: MapExpression): Type {
    let key: Type | undefined
    let value: Type | undefined
    for (const entry of entries) {
      key = this.#join(key, this.check(entry.key))
      value = this.#join(value, this.check(entry.value))
    }
    return mapOf(key ?? this.#freeParameter(), value ?? this.#freeParameter())
  }

  #comprehension(expression: Comprehension): Type {
    const range = substitute(this.substitutions, this.check(expression.range), false)
    const result = this.check(expression.initial)
    this.#hasCrossType = true
    const variable = this.#variableType(expression, range)
    this.#locals.push({ name: accumulator, type: result }, { name: expression.variable, type: variable })
    this.#require(expression.condition, boolType)
    this.#require(expression.step, result)
    this.#locals.pop()
    const type = this.check(expression.result)
    this.#locals.pop()
    return substitute(this.substitutions, type, false)
  }

  #variableType({ range: { at } }: Comprehension, range: Type): Type {
    if (range.kind === 'list' || range.kind === 'map') return firstParameter(range)
    if (range.kind === 'dyn' || range.kind === 'error' || range.kind === 'param') {
      this.#assign(dynType, range)
      return dynType
    }
    this.#report(
      at,
      `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
    )
    return errorType
  }

  #require(expression: Expression, wanted: Type): void {
    const type = this.check(expression)
    if (this.#assign(wanted, type)) return
    this.#report(expression.at, `expected type '${formatType(wanted)}' but found '${formatType(type)}'`)
  }
}

function withoutDot(name: string): string {
  return name.startsWith('.') ? name.slice(1) : name
}

function undeclared(name: string): string {
  return `undeclared reference to '${name}' (in container '')`
}

/** `a.b.c` where the expression is such a chain of names. */
function qualifiedName(expression: Expression): string | undefined {
  if (expression.kind === 'identifier') return expression.name
  if (expression.kind !== 'select' || expression.testOnly) return undefined
  const operand = qualifiedName(expression.operand)
  return operand === undefined ? undefined : `${operand}.${expression.field}`
}

function literalType(value: unknown): Type {
  if (value === null) return nullType
  if (value instanceof Uint) return uintType
  if (value instanceof Uint8Array) return bytesType
  if (typeof value === 'boolean') return boolType
  if (typeof value === 'bigint') return intType
  return typeof value === 'number' ? doubleType : stringType
}
