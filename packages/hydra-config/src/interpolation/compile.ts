import { scalar } from '../value/value.ts'
import { argumentGrammar } from './arguments.ts'
import { parseInterpolation } from './parse.ts'
import { type Program, simpleProgram } from './program.ts'

const simpleCall = /* @__PURE__ */ simpleCallPattern('[a-z_][a-z0-9_-]*')

function simpleCallPattern(name: string): RegExp {
  return new RegExp(`^\\$\\{(${name}(?:\\.${name})*):((?!(?:true|false|null|inf|nan)\\})${name})\\}$`, 'i')
}

/** The program of `${oc.env:NAME}`, for which a parser would be too much. */
function simpleCallProgram(text: string): Program | undefined {
  const [, name, argument] = simpleCall.exec(text) ?? []
  if (name === undefined || argument === undefined) return undefined
  return [
    { op: 'literal', value: scalar(argument) },
    { op: 'call', name: { parts: [name], gaps: 0 }, sources: [argument] },
  ]
}

const keptMax = 5_000
const keptLengthMax = 1_000
// Two generations, for the oldest entry of a large Map is slow to find.
let young = new Map<string, Program>()
let old: ReadonlyMap<string, Program> = new Map()

/**
 * Compiles a string with interpolations, calls of resolvers too. The programs of short texts are kept, up to a limit, if
 * `keeps` says so: what is kept outlives the configuration.
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function compile(text: string, keeps: boolean): Program {
  const simple = simpleProgram(text) ?? simpleCallProgram(text)
  if (simple !== undefined) return simple
  if (!keeps || text.length > keptLengthMax) return parseInterpolation(text, argumentGrammar)
  const known = young.get(text) ?? old.get(text)
  if (known !== undefined) return known
  const program = parseInterpolation(text, argumentGrammar)
  if (young.size >= keptMax) {
    old = young
    young = new Map()
  }
  young.set(text, program)
  return program
}
