import { yamlTag } from './node.ts'

const boolean = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/
const integer =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/
const empty = /^(?:~|null|Null|NULL|)$/
// PyYAML's floats first, then those that OmegaConf adds: an exponent needs neither a dot nor a sign.
const floats = [
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?$/,
  /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*$/,
  /^[-+]?\.(?:inf|Inf|INF)$/,
  /^\.(?:nan|NaN|NAN)$/,
  /^[-+]?[0-9]+(?:_[0-9]+)*(?:\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$/,
] as const

/**
 * The tag that OmegaConf's loader gives to plain text without one: YAML 1.1's bool, int, float, null, merge and
 * value, else str. There are no timestamps.
 */
export function resolveTag(text: string): string {
  return yamlTag + typeOfPlain(text)
}

/** The type of YAML 1.1 that the tag of {@link resolveTag} names. */
export function typeOfPlain(text: string): 'int' | 'float' | 'str' | 'null' | 'bool' | 'merge' | 'value' {
  const code = text.charCodeAt(0)
  // '+', '-', '.' and the digits; a path begins with the '/' between them.
  if (code >= 0x2b && code <= 0x39 && code !== 0x2f) {
    if (integer.test(text)) return 'int'
    return floats.some((float) => float.test(text)) ? 'float' : 'str'
  }
  // No word is longer than `false`.
  if (text.length > 5) return 'str'
  if (empty.test(text)) return 'null'
  if (boolean.test(text)) return 'bool'
  if (text === '<<') return 'merge'
  return text === '=' ? 'value' : 'str'
}
