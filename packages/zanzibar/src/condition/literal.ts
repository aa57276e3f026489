import { CelError } from './cel-error.ts'
import { parseDouble } from './double.ts'
import { checkedInt, checkedUint, parseInteger } from './integer.ts'
import type { Token } from './lexer.ts'
import { type Unquoted, unquoteBytes, unquoteString } from './text-literal.ts'
import { Uint } from './uint.ts'

/** undefined where the token is no literal; an error where it is none that can be. */
export function literalValue(
  { kind, text }: Token,
  isNegative: boolean,
): null | boolean | bigint | number | string | Uint | Uint8Array | CelError | undefined {
  if (kind === 'int') return intLiteral(text, isNegative)
  if (kind === 'uint') return uintLiteral(text.slice(0, -1))
  if (kind === 'float')
    return parseDouble(isNegative ? `-${text}` : text) ?? new CelError('invalid double literal')
  if (kind === 'string') return valueOf(unquoteString(text))
  if (kind === 'bytes') return valueOf(unquoteBytes(text))
  return text === 'true' ? true : text === 'false' ? false : text === 'null' ? null : undefined
}

function valueOf<T>(unquoted: Unquoted<T>): T | CelError {
  return 'value' in unquoted ? unquoted.value : new CelError(unquoted.problem)
}

function intLiteral(text: string, isNegative: boolean): bigint | CelError {
  const problem = new CelError('invalid int literal')
  if (!text.startsWith('0x')) {
    const parsed = parseInteger(isNegative ? `-${text}` : text, 'int')
    return typeof parsed === 'bigint' ? parsed : problem
  }
  const value = text.length > 1024 ? 0n : checkedInt(isNegative ? -BigInt(text) : BigInt(text))
  return typeof value === 'bigint' ? value : problem
}

function uintLiteral(text: string): Uint | CelError {
  const problem = new CelError('invalid uint literal')
  const value = text.startsWith('0x') ? checkedUint(BigInt(text)) : parseInteger(text, 'uint')
  return value instanceof Uint ? value : problem
}
