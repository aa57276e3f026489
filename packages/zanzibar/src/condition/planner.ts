import { attributeOf, extend, isKey, keyOf, stepOf } from './attribute.ts'
import { CelError } from './cel-error.ts'
import type { Checked } from './checker.ts'
import { isList } from './compare.ts'
import { isConversion } from './conversion.ts'
import { costOf, listCost, mapCost } from './cost.ts'
import {
  accumulator,
  type CallExpression,
  type Comprehension,
  type Expression,
  type SelectExpression,
} from './expression.ts'
import { fold } from './fold.ts'
import { binaryFunction, isIn, unaryFunction } from './functions.ts'
import { charge, type Frame, type Plan, type Step } from './plan.ts'
import type { Automaton } from './re2/automaton.ts'
import { compilePattern } from './re2/pattern.ts'
import { Uint } from './uint.ts'
import {
  Aborted,
  CelMap,
  type List,
  noSuchOverload,
  TypeValue,
  unhashable,
  unknown,
  type Value,
} from './value.ts'

/** An expression that can be evaluated. */
export interface Program {
  readonly step: Step
  /** How many locals a frame needs. */
  readonly localCount: number
}

class PlanFault extends Error {}

/** Makes a checked expression a program; a string says why it cannot be one, as with a constant `duration('x')`. `slots` are the places of the parameters. */
export function planProgram(
  expression: Expression,
  checked: Checked,
  slots: ReadonlyMap<string, number>,
): Program | string {
  const planner = new Planner(checked, slots)
  try {
    const step = stepOf(planner.plan(expression))
    return { step, localCount: planner.localCount }
  } catch (error) {
    if (error instanceof PlanFault || error instanceof Aborted) return error.message
    throw error
  }
}

class Planner {
  localCount = 0
  readonly #checked: Checked
  readonly #slots: ReadonlyMap<string, number>
  readonly #scope: { readonly name: string; readonly slot: number }[] = []

  constructor(checked: Checked, slots: ReadonlyMap<string, number>) {
    this.#checked = checked
    this.#slots = slots
  }

  plan(expression: Expression): Plan {
    switch (expression.kind) {
      case 'literal':
        return { kind: 'constant', value: expression.value }
      case 'identifier':
        return this.#reference(expression)
      case 'select':
        return this.#select(expression)
      case 'call':
        return this.#call(expression)
      case 'list':
        return list(expression.elements.map((element) => this.plan(element)))
      case 'map':
        return map(expression.entries.map(({ key, value }) => [this.plan(key), this.plan(value)]))
      case 'comprehension':
        return this.#comprehension(expression)
      case 'message':
    }
    throw new PlanFault(`unknown type: ${expression.name}`)
  }

  #reference(expression: Expression): Plan {
    const reference = this.#checked.referenceOf(expression)
    if (reference === undefined) throw new PlanFault(`unsupported expr: ${expression.kind}`)
    if (reference.kind === 'type') return { kind: 'constant', value: new TypeValue(reference.type.name) }
    if (reference.kind === 'local') return this.#local(reference.name)
    const slot = this.#slots.get(reference.name) ?? -1
    return variable((frame) => frame.parameters[slot] ?? null, true)
  }

  #local(name: string): Plan {
    const slot = this.#scope.findLast((each) => each.name === name)?.slot ?? -1
    return variable((frame) => frame.locals[slot] ?? null, false)
  }

  #select(expression: SelectExpression): Plan {
    if (this.#checked.referenceOf(expression) !== undefined) return this.#reference(expression)
    const { field, testOnly } = expression
    const attribute = attributeOf(this.plan(expression.operand))
    return {
      kind: 'attribute',
      attribute: extend(attribute, { key: () => field, isConstant: true, testOnly }),
    }
  }

  #call(call: CallExpression): Plan {
    const operands = call.target === undefined ? call.arguments : [call.target, ...call.arguments]
    const plans = operands.map((operand) => this.plan(operand))
    const name = call.function.startsWith('.') ? call.function.slice(1) : call.function
    const overload = this.#checked.overloadOf(call)
    const [first, second, third] = plans
    if (first === undefined) throw new PlanFault(`no such overload: ${name}()`)
    if (second === undefined) return unaryCall(name, overload, first)
    if (third !== undefined) return ternary(first, second, third)
    switch (name) {
      case '_&&_':
        return junction(stepOf(first), stepOf(second), false)
      case '_||_':
        return junction(stepOf(first), stepOf(second), true)
      case '_[_]':
        return index(first, second)
      case '@in':
        if (overload === 'in_list' && second.kind === 'constant') return membership(first, second.value)
        break
      case 'matches':
        if (second.kind === 'constant' && typeof second.value === 'string') {
          const pattern = patternOf(second.value)
          // cel-go has made it a call of one argument by then, whose error names no function.
          return binaryCall(name, overload, first, second, (text) =>
            typeof text === 'string' ? pattern.matches(text) : noSuchOverload,
          )
        }
    }
    return binaryCall(name, overload, first, second)
  }

  #comprehension(expression: Comprehension): Plan {
    const range = stepOf(this.plan(expression.range))
    const initial = this.plan(expression.initial)
    const [accumulated, current] = [this.#bind(accumulator), this.#bind(expression.variable)]
    const condition = this.plan(expression.condition)
    const step = stepOf(this.plan(expression.step))
    this.#scope.pop()
    const result = stepOf(this.plan(expression.result))
    this.#scope.pop()
    return {
      kind: 'step',
      step: fold({
        range,
        initial: initial.kind === 'constant' ? initial.value : null,
        condition: condition.kind === 'constant' ? undefined : stepOf(condition),
        step,
        result,
        accumulated,
        current,
      }),
    }
  }

  #bind(name: string): number {
    const slot = this.localCount
    this.localCount += 1
    this.#scope.push({ name, slot })
    return slot
  }
}

function variable(root: Step, isParameter: boolean): Plan {
  return { kind: 'attribute', attribute: { kind: 'path', root, isParameter, qualifiers: [] } }
}

function isFinal(value: Value): boolean {
  return value === unknown || value instanceof CelError
}

function unaryCall(name: string, overload: string | undefined, operand: Plan): Plan {
  if (name === '@not_strictly_false') return notStrictlyFalse(stepOf(operand))
  const call = unaryFunction(name)
  if (call === undefined) throw new PlanFault(`no such overload: ${name}(arg)`)
  if (operand.kind === 'constant' && isConversion(name)) {
    const value = call(operand.value)
    if (value instanceof CelError) throw new PlanFault(value.message)
    return { kind: 'constant', value }
  }
  const [step, cost] = [stepOf(operand), costOf(overload)]
  return {
    kind: 'step',
    step: (frame) => {
      const value = step(frame)
      charge(frame, cost(value, null))
      return isFinal(value) ? value : call(value)
    },
  }
}

function notStrictlyFalse(operand: Step): Plan {
  return {
    kind: 'step',
    step: (frame) => {
      const value = operand(frame)
      charge(frame, 1)
      return typeof value === 'boolean' ? value : true
    },
  }
}

function binaryCall(
  name: string,
  overload: string | undefined,
  first: Plan,
  second: Plan,
  call = binaryFunction(name),
): Plan {
  if (call === undefined) throw new PlanFault(`no such overload: ${name}(lhs, rhs)`)
  const [left, right, cost] = [stepOf(first), stepOf(second), costOf(overload)]
  return {
    kind: 'step',
    step: (frame) => {
      const one = left(frame)
      // The call is charged for only when all its arguments were there.
      if (one instanceof CelError) return one
      const other = right(frame)
      charge(frame, cost(one, other))
      if (other instanceof CelError) return other
      return one === unknown || other === unknown ? unknown : call(one, other)
    },
  }
}

function ternary(condition: Plan, whenTrue: Plan, whenFalse: Plan): Plan {
  return {
    kind: 'attribute',
    attribute: {
      kind: 'conditional',
      condition: stepOf(condition),
      whenTrue: attributeOf(whenTrue),
      whenFalse: attributeOf(whenFalse),
    },
  }
}

/** `&&` and `||`: `deciding` settles it, whatever errors stand on the other side. */
function junction(left: Step, right: Step, deciding: boolean): Plan {
  return {
    kind: 'step',
    step: (frame) => {
      const one = left(frame)
      if (one === deciding) return deciding
      const other = right(frame)
      if (other === deciding) return deciding
      if (typeof one === 'boolean' && typeof other === 'boolean') return !deciding
      if (one === unknown || other === unknown) return unknown
      const fault = typeof one === 'boolean' ? other : one
      return fault instanceof CelError ? fault : noSuchOverload
    },
  }
}

function index(holder: Plan, key: Plan): Plan {
  if (key.kind === 'constant' && !isKey(key.value))
    throw new PlanFault(`invalid qualifier type: ${goTypeName(key.value)}`)
  return {
    kind: 'attribute',
    attribute: extend(attributeOf(holder), {
      key: keyOf(key),
      isConstant: key.kind === 'constant',
      testOnly: false,
    }),
  }
}

function goTypeName(value: Value): string {
  if (value === null) return 'types.Null'
  if (value instanceof Uint8Array) return 'types.Bytes'
  if (value instanceof TypeValue) return '*types.Type'
  return isList(value) ? '*types.baseList' : value instanceof CelMap ? '*types.baseMap' : 'types.Val'
}

/** `in` a list of constants, of which only the element costs something. */
function membership(element: Plan, constant: Value): Plan {
  if (!isList(constant)) throw new PlanFault('no such overload: @in(lhs, rhs)')
  if (constant.length === 0) return { kind: 'constant', value: false }
  // Other lists are asked element by element, and charged for.
  if (!constant.every(isPrimitive))
    return binaryCall('@in', 'in_list', element, { kind: 'constant', value: constant })
  const step = stepOf(element)
  const texts = new Set(constant.filter((each) => typeof each === 'string'))
  const isTextOnly = texts.size > 0 && constant.every((each) => typeof each === 'string')
  return {
    kind: 'step',
    step: (frame) => {
      const value = step(frame)
      if (isFinal(value)) return value
      if (value instanceof Uint8Array) throw new Aborted(unhashable)
      if (isTextOnly) return typeof value === 'string' && texts.has(value)
      return isIn(value, constant)
    },
  }
}

function isPrimitive(value: Value): boolean {
  return ['boolean', 'bigint', 'number', 'string'].includes(typeof value) || value instanceof Uint
}

function patternOf(text: string): Pick<Automaton, 'matches'> {
  const compiled = compilePattern(text)
  if ('problem' in compiled) throw new PlanFault(compiled.problem)
  return compiled
}

function list(elements: readonly Plan[]): Plan {
  const constants = constantValues(elements)
  if (constants !== undefined) return { kind: 'constant', value: constants }
  const steps = elements.map(stepOf)
  return {
    kind: 'step',
    step: (frame) => {
      const values: Value[] = []
      let final: Value | undefined
      for (const step of steps) {
        const value = step(frame)
        if (isFinal(value)) final = value
        if (value instanceof CelError) break
        values.push(value)
      }
      charge(frame, listCost)
      return final ?? values
    },
  }
}

function map(entries: readonly (readonly [key: Plan, value: Plan])[]): Plan {
  const constants = constantValues(entries.flat())
  if (constants !== undefined) return { kind: 'constant', value: mapOf(constants) }
  const steps = entries.map(([key, value]): [Step, Step] => [stepOf(key), stepOf(value)])
  return {
    kind: 'step',
    step: (frame) => {
      const made = fill(frame, steps)
      charge(frame, mapCost)
      return made
    },
  }
}

function fill(frame: Frame, steps: readonly (readonly [key: Step, value: Step])[]): Value {
  const made = new CelMap()
  let isKnown = true
  for (const [keyStep, valueStep] of steps) {
    const key = keyStep(frame)
    if (key instanceof CelError) return key
    const value = valueStep(frame)
    if (value instanceof CelError) return value
    if (key === unknown || value === unknown) isKnown = false
    made.set(key, value)
  }
  return isKnown ? made : unknown
}

/** From keys and values in turn. */
function mapOf(values: List): CelMap {
  const made = new CelMap()
  for (let at = 0; at + 1 < values.length; at += 2) made.set(values[at] ?? null, values[at + 1] ?? null)
  return made
}

/** undefined where one of them is none. */
function constantValues(plans: readonly Plan[]): List | undefined {
  const values: Value[] = []
  for (const each of plans) {
    if (each.kind !== 'constant') return undefined
    values.push(each.value)
  }
  return values
}
