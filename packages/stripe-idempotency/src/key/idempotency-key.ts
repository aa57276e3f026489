import { Buffer } from 'node:buffer'
import { IdempotencyError } from '../errors.ts'
import { type HttpRequest, linesOf } from '../http/message.ts'
import { structuredString } from './structured-string.ts'

/** How the value of the header is written. */
export type KeySyntax =
  /** As it is, of any characters that a header may have. */
  | 'raw'
  /** A Structured Field String: `"8e03…"` (RFC 8941, section 3.3.3). */
  | 'strict'
  /** A Structured Field String, or without quotes a run of visible ASCII characters that has no comma: the same key. */
  | 'lenient'

/** What a mode takes for a key. */
export interface KeyRules {
  /** As it is sent, such as `Idempotency-Key`. */
  readonly header: string
  readonly syntax: KeySyntax
  /** Characters, at least. */
  readonly minLength: number
  /** Characters, at most. */
  readonly maxLength: number
  /** What else a key must be like. Default: anything. */
  readonly pattern?: RegExp
  /** Where the key is a member of a JSON object in the body: its name. Answers tell the key in the header all the same. */
  readonly member?: string
}

/** What stands where the key is: the lines of the header, or the member of the body if it is a string. */
export function keyLines(
  { headers, body }: Pick<HttpRequest, 'headers' | 'body'>,
  { header, member }: KeyRules,
): readonly string[] {
  if (member === undefined) return linesOf(headers, header.toLowerCase())
  const value = memberOf(body, member)
  return typeof value === 'string' ? [value] : []
}

function memberOf(body: Uint8Array, name: string): unknown {
  try {
    const content: unknown = JSON.parse(Buffer.from(body).toString())
    if (typeof content !== 'object' || content === null) return undefined
    return Object.getOwnPropertyDescriptor(content, name)?.value
  } catch {
    return undefined
  }
}

/**
 * The key that the lines of the header carry; undefined where there is no line.
 *
 * @throws IdempotencyError `key_invalid`; the message does not show the key
 */
export function readKey(lines: readonly string[], rules: KeyRules): string | undefined {
  const [line, ...more] = lines
  if (line === undefined) return undefined
  if (more.length > 0) throw invalid(rules, `there are ${lines.length} lines of it, and one is allowed`)
  const key = parse(line, rules)
  if (key.length < rules.minLength || key.length > rules.maxLength) {
    throw invalid(
      rules,
      `it has ${key.length} characters, and ${rules.minLength} to ${rules.maxLength} are allowed`,
    )
  }
  if (rules.pattern?.test(key) === false)
    throw invalid(rules, `it is not of the form ${rules.pattern.source}`)
  return key
}

function parse(line: string, rules: KeyRules): string {
  if (rules.syntax === 'raw') return visible(trimmed(line), rules)
  const quoted = structuredString(line)
  if (quoted !== undefined) return quoted
  if (rules.syntax === 'strict') throw invalid(rules, 'it is no Structured Field String, such as "8e03978e"')
  const bare = trimmed(line)
  if (/^[\x21\x23-\x2b\x2d-\x7e][\x21-\x2b\x2d-\x7e]*$/.test(bare)) return bare
  throw invalid(
    rules,
    'it is neither a Structured Field String, such as "8e03978e", nor a run of visible ASCII characters without a comma',
  )
}

/** Without the white space that a header may have around its value (RFC 9110, section 5.5). */
function trimmed(line: string): string {
  return line.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
}

function visible(value: string, rules: KeyRules): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value
  throw invalid(rules, 'it has characters that are not printable ASCII')
}

function invalid({ header, member }: KeyRules, why: string): IdempotencyError {
  const place = member === undefined ? `header ${header}` : `member ${member}`
  return new IdempotencyError('key_invalid', `the ${place} cannot be read: ${why}`)
}

/** A key among those of an API that has its own. No key that a client can send looks like it. */
export function keyIn(keySpace: string | undefined, key: string): string {
  return keySpace === undefined ? key : `${keySpace}\0${key}`
}
