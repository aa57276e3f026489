import { Automaton } from './automaton.ts'
import { parsePattern } from './parser.ts'
import { compileProgram } from './program.ts'
import { PatternFault } from './syntax.ts'

/** A regular expression of RE2, or what is wrong with it in Go's words. */
export type Pattern = { matches(text: string): boolean } | { readonly problem: string }

/** Patterns come from tuples and questions, so only so many are remembered, and no long ones. */
const maxKept = 100
const maxKeptLength = 1000
const kept = new Map<string, Pattern>()

/** Compiles a pattern in RE2's syntax, which matches in time linear in the text. */
export function compilePattern(pattern: string): Pattern {
  const known = kept.get(pattern)
  if (known !== undefined) return known
  const compiled = compile(pattern)
  if (pattern.length <= maxKeptLength) {
    if (kept.size >= maxKept) kept.clear()
    kept.set(pattern, compiled)
  }
  return compiled
}

function compile(pattern: string): Pattern {
  try {
    return new Automaton(compileProgram(parsePattern(pattern), pattern))
  } catch (error) {
    if (error instanceof PatternFault) return { problem: error.message }
    throw error
  }
}
