import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'

const partsMax = 1000
const dispositionParameter = /; *(name|filename)="((?:[^"\\\r\n]|\\.)*)"/gi

/** A part of a form: its name, file name, type, and the SHA-256 of its content. */
type Part = readonly [name: string, filename: string, type: string, digest: string]

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
  const noHeaders = bytes.subarray(0, 2).toString('latin1') === '\r\n'
  if (blank < 0 && !noHeaders) return undefined
  const headers = noHeaders ? '' : bytes.toString('latin1', 0, blank)
  const content = bytes.subarray(noHeaders ? 2 : blank + 4)
  const disposition = /^content-disposition: *form-data *(;.*)$/im.exec(headers)?.[1] ?? ''
  const parameters = new Map(
    [...disposition.matchAll(dispositionParameter)].map(([, name = '', value = '']) => [
      name.toLowerCase(),
      value,
    ]),
  )
  const type = /^content-type: *(.*)$/im.exec(headers)?.[1] ?? ''
  return [
    parameters.get('name') ?? '',
    parameters.get('filename') ?? '',
    type.trim().toLowerCase(),
    hash('sha256', content, 'base64'),
  ]
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
