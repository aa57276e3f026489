import type { Scalar } from '../value/value.ts'
import { Bail } from './bail.ts'
import { plainFloat, plainInteger } from './plain-number.ts'
import { typeOfPlain } from './resolve-tag.ts'

const affirmative = /^(?:y|t|on)/i

// Up to 15 digits without a leading 0 are the same to every reader.
const shortInteger = /^(?:0|[1-9][0-9]{0,14})$/

/** The characters that a plain scalar cannot begin with; `-`, `?` and `:` can, before what is no space. */
const indicators = ',[]{}#&*!|>\'"%@`?:'

/** The value of a plain scalar of one line, without the blanks around it. */
export function readPlain(text: string): Scalar {
  // Of an empty text it says so too. A question mark can begin a scalar, but only `???` is common.
  if (indicators.includes(text.charAt(0)) && text !== '???') throw new Bail()
  if (text.charCodeAt(0) <= 0x39 && shortInteger.test(text)) return BigInt(Number(text))
  switch (typeOfPlain(text)) {
    case 'str':
      return text
    case 'int':
      return plainInteger(text)
    case 'float':
      return plainFloat(text)
    case 'bool':
      return affirmative.test(text)
    case 'null':
      return null
    case 'merge':
    case 'value':
    default:
      throw new Bail()
  }
}
