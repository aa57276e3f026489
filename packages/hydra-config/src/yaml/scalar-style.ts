import { asciiNumberText } from '../value/python-digits.ts'
import { yamlTag } from './node.ts'
import { resolveTag } from './resolve-tag.ts'

/** How a scalar can be written, and whether as a key on one line. */
export interface Style {
  readonly style: 'plain' | 'single' | 'double'
  readonly multiline: boolean
}

const breaks = '\n\x85\u2028\u2029'
const blanksOrEnd = '\0 \t\r\n\x85\u2028\u2029'
// Where a lone one of these begins a text, or these words are the text, OmegaConf quotes it.
const booleanWords = /^(?:y|Y|n|N)$/
const timestamp =
  /^(?:\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)$/
const pythonFloat =
  /^[+-]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?|inf(?:inity)?|nan)$/i
/** Chooses how PyYAML and OmegaConf write the string `text`, as a key or as a value. */
export function styleOf(text: string, asKey: boolean): Style {
  const { multiline, plain, single } = analyze(text)
  const style =
    plain && !(asKey && multiline) && !readsOtherwise(text) ? 'plain' : quotes(single, asKey && multiline)
  return { style, multiline }
}

function quotes(single: boolean, multilineKey: boolean): 'single' | 'double' {
  return single && !multilineKey ? 'single' : 'double'
}

/** Whether `text` without quotes would be read as something else than a string. */
function readsOtherwise(text: string): boolean {
  if (text === '' || booleanWords.test(text) || timestamp.test(text)) return true
  return pythonFloat.test(asciiNumberText(text)) || resolveTag(text) !== `${yamlTag}str`
}

interface Analysis {
  readonly multiline: boolean
  readonly plain: boolean
  readonly single: boolean
}

function analyze(text: string): Analysis {
  if (text === '') return { multiline: false, plain: true, single: true }
  const characters = Array.from(text)
  const last = characters.length - 1
  let indicators = text.startsWith('---') || text.startsWith('...')
  let multiline = false
  let special = false
  let breakThenSpace = false
  let spaceThenBreak = false
  characters.forEach((character, index) => {
    const before = characters[index - 1] ?? ' '
    const after = characters[index + 1] ?? ' '
    indicators ||= isIndicator(
      character,
      index === 0,
      blanksOrEnd.includes(before),
      blanksOrEnd.includes(after),
    )
    special ||= isSpecial(character)
    const isBreak = breaks.includes(character)
    multiline ||= isBreak
    if (index > 0) {
      breakThenSpace ||= character === ' ' && breaks.includes(before)
      spaceThenBreak ||= isBreak && before === ' '
    }
  })
  const bareEnds = [characters[0] ?? '', characters[last] ?? ''].every(
    (end) => end !== ' ' && !breaks.includes(end),
  )
  const single = !(breakThenSpace || spaceThenBreak || special)
  return { multiline, plain: single && bareEnds && !multiline && !indicators, single }
}

function isIndicator(character: string, first: boolean, afterBlank: boolean, beforeBlank: boolean): boolean {
  if (first && '#,[]{}&*!|>\'"%@`'.includes(character)) return true
  if (first && '?-'.includes(character)) return beforeBlank
  if (character === ':') return beforeBlank
  return character === '#' && afterBlank
}

function isSpecial(character: string): boolean {
  if (character === '\n' || (character >= ' ' && character <= '~')) return false
  const code = character.codePointAt(0) ?? 0
  const printable =
    code === 0x85 || (code >= 0xa0 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff)
  return !printable && !(code >= 0x10000 && code < 0x10ffff)
}
