import { isHydraConfigError, placedError } from '../errors.ts'
import type { Origin } from '../value/value.ts'
import { argumentGrammar } from './arguments.ts'
import { parseInterpolation } from './parse.ts'
import { simplePath } from './program.ts'

const simple = /* @__PURE__ */ simplePattern()

function simplePattern(): RegExp {
  // Python's white space of ASCII.
  const blank = '[ \\t\\n\\r\\f\\v]*'
  const key = '[$\\w]+'
  const keyOrIndex = `(?:${key}|\\[${key}\\])`
  const path = `\\.*${keyOrIndex}(?:\\.${key}|\\[${key}\\])*`
  const node = `\\$\\{${blank}${path}${blank}\\}`
  const id = '[a-zA-Z_][\\w-]*'
  const argument = '[a-zA-Z_0-9/\\-+.$%*@?|]+'
  const resolver = `\\$\\{${blank}(?:${id}(?:\\.${id})*${blank})?:${blank}${argument}(?:${blank},${blank}${argument})*${blank}\\}`
  return new RegExp(`${node}|${resolver}`, 'y')
}

/**
 * Refuses a string that is no interpolation of OmegaConf's grammar. As there, a text that looks simple enough, such
 * as `${:a}`, is let pass until it is resolved.
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function checkInterpolation(text: string, origin?: Origin): void {
  try {
    if (!simplePath.test(text)) parseInterpolation(text, argumentGrammar)
  } catch (error) {
    if (!isHydraConfigError(error) || !looksSimple(text)) throw placedError(error, { origin })
  }
}

/** Whether every `${` of the text begins an interpolation without quotes, brackets and nesting. */
function looksSimple(text: string): boolean {
  for (let at = text.indexOf('${'); at >= 0; at = text.indexOf('${', simple.lastIndex)) {
    simple.lastIndex = at
    if (!simple.test(text)) return false
  }
  return true
}
