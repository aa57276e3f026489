import { isUtf8 } from 'node:buffer'

/** The text of a request's body. Bytes that are not UTF-8 come out as halves of code points, which no UTF-8 can give, so that the reader refuses them. */
export function textOf(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  return text.includes('\ufffd') && !isUtf8(body) ? text.replaceAll('\ufffd', '\udcff') : text
}
