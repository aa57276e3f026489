import { isHydraConfigError } from '../errors.ts'
import { evaluate, type OverrideCalls } from './evaluate.ts'
import { evaluationFailure, parseFailure } from './failure.ts'
import { functionGrammar } from './function-syntax.ts'
import type { Element, ListFunction, Override } from './override.ts'
import type { FunctionSyntax, OverrideSyntax } from './syntax.ts'

type Run<Result> = (
  name: string,
  positional: readonly Element[],
  named: ReadonlyMap<string, Element>,
) => Result

/**
 * Overrides with calls.
 * @param run a function such as `int(…)`; it throws {@link HydraConfigError} without an offset
 * @param editing `append(…)` and the like; undefined for a name that is none of them
 */
export function callsBy(
  run: Run<Element>,
  editing?: (name: string) => Run<ListFunction> | undefined,
): OverrideCalls {
  const calls: OverrideCalls = {
    grammar: functionGrammar,
    value: (text, syntax) => called(text, syntax, calls, run),
    edit: (text, syntax) => {
      const [first] = syntax.elements ?? []
      if (first?.kind !== 'function') return undefined
      const edit = editing?.(first.name.text)
      return edit && listOverride(text, syntax, first, calls, edit)
    },
  }
  return calls
}

function listOverride(
  text: string,
  { prefix, key, package: ofPackage, elements }: OverrideSyntax,
  syntaxOfCall: FunctionSyntax,
  calls: OverrideCalls,
  run: Run<ListFunction>,
): Override {
  const { name } = syntaxOfCall
  if (prefix !== '' || elements?.length !== 1) {
    throw parseFailure(text, name.start, `edits a list: key=${name.text}(…) stands without prefix and alone`)
  }
  const edit = called(text, syntaxOfCall, calls, run)
  return { text, type: 'CHANGE', key, package: ofPackage, value: edit.items, hasValue: true, edit }
}

/** What `run` makes of the arguments; what it refuses, refused with its place in `text`. */
function called<T>(text: string, { name, args, end }: FunctionSyntax, calls: OverrideCalls, run: Run<T>): T {
  const positional: Element[] = []
  const named = new Map<string, Element>()
  for (const arg of args) {
    if (arg.name !== undefined) named.set(arg.name, evaluate(text, arg.value, calls))
    else if (named.size > 0)
      throw evaluationFailure(text, name.start, 'positional argument follows keyword argument')
    else positional.push(evaluate(text, arg.value, calls))
  }
  try {
    return run(name.text, positional, named)
  } catch (cause) {
    if (!isHydraConfigError(cause)) throw cause
    const source = text.slice(name.start, end)
    const told = `${cause.class} while evaluating '${source}': ${cause.message}`
    throw evaluationFailure(text, name.start, told, { cause })
  }
}
