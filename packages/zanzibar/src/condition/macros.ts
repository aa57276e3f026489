import { accumulator, type Comprehension, type Expression, type SelectExpression } from './expression.ts'

/** A macro written wrongly: what is wrong, and at which of its arguments. */
interface MacroFault {
  readonly at: number
  readonly message: string
}

type Expanded = Comprehension | SelectExpression | MacroFault | undefined

/** What a call of a macro stands for; undefined where the call is none. `at` is the place of the call. */
export function expandMacro(
  at: number,
  name: string,
  target: Expression | undefined,
  given: readonly Expression[],
): Expanded {
  const [first, second, third] = given
  if (first === undefined) return undefined
  if (target === undefined) return name === 'has' && given.length === 1 ? presenceTest(at, first) : undefined
  if (second === undefined || given.length > 3) return undefined
  const parts = partsOf(at, name, first, second, third)
  if (parts === undefined) return undefined
  if (first.kind !== 'identifier') {
    const wanted = name === 'map' || name === 'filter' ? 'is not an identifier' : 'must be a simple name'
    return { at: first.at, message: `argument ${wanted}` }
  }
  if (first.name === '__result__')
    return { at: first.at, message: 'iteration variable overwrites accumulator variable' }
  return { kind: 'comprehension', at, range: target, variable: first.name, ...parts }
}

function presenceTest(at: number, argument: Expression): SelectExpression | MacroFault {
  if (argument.kind !== 'select') return { at: argument.at, message: 'invalid argument to has() macro' }
  return { kind: 'select', at, operand: argument.operand, field: argument.field, testOnly: true }
}

type Parts = Pick<Comprehension, 'initial' | 'condition' | 'step' | 'result'>

/** `first` names the variable. Only `map` takes a third argument. */
function partsOf(
  at: number,
  name: string,
  first: Expression,
  second: Expression,
  third: Expression | undefined,
): Parts | undefined {
  const literal = (value: boolean | bigint): Expression => ({ kind: 'literal', at, value })
  const call = (operator: string, ...operands: Expression[]): Expression => ({
    kind: 'call',
    at,
    function: operator,
    target: undefined,
    arguments: operands,
  })
  const result = (): Expression => ({ kind: 'identifier', at, name: accumulator })
  const isTrue = literal(true)
  const appended = (element: Expression): Expression =>
    call('_+_', result(), { kind: 'list', at, elements: [element] })
  const list: Expression = { kind: 'list', at, elements: [] }
  switch (third === undefined ? name : `${name}/3`) {
    case 'all':
      return {
        initial: isTrue,
        condition: call('@not_strictly_false', result()),
        step: call('_&&_', result(), second),
        result: result(),
      }
    case 'exists':
      return {
        initial: literal(false),
        condition: call('@not_strictly_false', call('!_', result())),
        step: call('_||_', result(), second),
        result: result(),
      }
    case 'exists_one':
      return {
        initial: literal(0n),
        condition: isTrue,
        step: call('_?_:_', second, call('_+_', result(), literal(1n)), result()),
        result: call('_==_', result(), literal(1n)),
      }
    case 'map':
      return { initial: list, condition: isTrue, step: appended(second), result: result() }
    case 'map/3':
      return {
        initial: list,
        condition: isTrue,
        step: call('_?_:_', second, appended(third ?? second), result()),
        result: result(),
      }
    case 'filter':
      return {
        initial: list,
        condition: isTrue,
        step: call('_?_:_', second, appended(first), result()),
        result: result(),
      }
    default:
      return undefined
  }
}
