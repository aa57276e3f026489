import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { inOrder } from './form.ts'

const partsMax = 1000
const headersMax = 16_384
const parameter =
  /[ \t]*;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t;"]+))/y

/** A part of a form: its name, what else its disposition says, its type, its encoding, and the SHA-256 of its content. */
type Part = readonly [name: string, more: string, type: string, encoding: string, digest: string]

/**
 * The parts of a `multipart/form-data` body (RFC 7578) without their boundary.
 *
 * @returns undefined for a body that is none, or has more than 1,000 parts
 */
export function multipartParts(body: Buffer, boundary: string): Part[] | undefined {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  const first = Buffer.from(`--${boundary}`, 'latin1')
  let at = body.subarray(0, first.length).equals(first) ? first.length : after(body, delimiter, 0)
  const parts: Part[] = []
  while (at !== undefined) {
    if (body.toString('latin1', at, at + 2) === '--') return parts
    const start = endOfLine(body, at)
    const end = body.indexOf(delimiter, start === undefined ? 0 : Math.max(start - 2, at))
    if (start === undefined || end < 0 || parts.length === partsMax) return undefined
    const part = partOf(body.subarray(start, Math.max(start, end)))
    if (part === undefined) return undefined
    parts.push(part)
    at = end + delimiter.length
  }
  return undefined
}

function partOf(bytes: Buffer): Part | undefined {
  const blank = bytes.indexOf('\r\n\r\n')
  if (blank < 0 || blank > headersMax) return undefined
  const block = bytes.toString('latin1', 0, blank)
  // Parsers differ in what they make of other headers: they count as they are.
  const said = saidBy(block) ?? (['', `as it is: ${block}`, '', ''] as const)
  return [...said, hash('sha256', bytes.subarray(blank + 4), 'base64')]
}

function saidBy(block: string): readonly [string, string, string, string] | undefined {
  const headers = headersOf(block)
  const parameters = dispositionOf(headers?.get('content-disposition') ?? '')
  const name = parameters?.get('name')
  if (headers === undefined || parameters === undefined || name === undefined) return undefined
  parameters.delete('name')
  return [
    name,
    // With their names: a file without a name is another part than a field.
    JSON.stringify(inOrder([...parameters])),
    (headers.get('content-type') ?? '').toLowerCase(),
    (headers.get('content-transfer-encoding') ?? '').toLowerCase(),
  ]
}

/** Undefined for a header that is there twice, and for what is none: parsers differ in what they make of them. */
function headersOf(block: string): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>()
  for (const line of block.split('\r\n')) {
    const at = line.indexOf(':')
    const name = line.slice(0, Math.max(at, 0)).toLowerCase()
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || headers.has(name)) return undefined
    headers.set(name, line.slice(at + 1).trim())
  }
  return headers
}

/** The parameters of `form-data` (RFC 7578, section 4.2), quoted or not; undefined for what cannot be read to its end. */
function dispositionOf(value: string): Map<string, string> | undefined {
  const type = /^form-data(?=[ \t;])/i.exec(value)
  if (type === null) return undefined
  const parameters = new Map<string, string>()
  parameter.lastIndex = type[0].length
  for (let at = parameter.lastIndex; at < value.length; at = parameter.lastIndex) {
    const [found, name = '', quoted, token = ''] = parameter.exec(value) ?? []
    if (found === undefined || parameters.has(name.toLowerCase())) return undefined
    parameters.set(name.toLowerCase(), quoted ?? token)
  }
  return parameters
}

/** The boundary may have white space behind it (RFC 2046, section 5.1.1). */
function endOfLine(body: Buffer, at: number): number | undefined {
  let end = at
  while (body[end] === 0x20 || body[end] === 0x09) end++
  return body[end] === 0x0d && body[end + 1] === 0x0a ? end + 2 : undefined
}

function after(body: Buffer, delimiter: Buffer, from: number): number | undefined {
  const at = body.indexOf(delimiter, from)
  return at < 0 ? undefined : at + delimiter.length
}
