import { suggestion } from '../suggest.ts'
import { type ItemRules, type Keyworded, refuseItem } from './parse-defaults.ts'
import { normalizedOption } from './strict-paths.ts'

/** The rules of strict semantics: those of Hydra 1.4. */
export const strictItems: ItemRules = {
  notList: 'ConfigCompositionException',
  keywords: strictKeywords,
  option: normalizedOption,
}

function strictKeywords(path: string, text: string): Keyworded {
  if (/^\S+$/.test(text)) return { group: text, optional: false, override: false }
  const words = text.split(/\s+/).filter((word) => word !== '')
  const group = words.pop() ?? refuseItem(path, `has no group in ${JSON.stringify(text)} of its defaults`)
  for (const word of words) {
    if (word === 'optional' || word === 'override') continue
    const advice = suggestion(word, ['optional', 'override'])
    refuseItem(
      path,
      `has the keyword '${word}' before ${group} in its defaults; there are optional and override${advice}`,
    )
  }
  const [optional, override] = [words.includes('optional'), words.includes('override')]
  if (optional && override) refuseItem(path, `has both optional and override before ${group} in its defaults`)
  return { group, optional, override }
}
