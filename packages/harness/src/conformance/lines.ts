/** A line of a stream: its text, or why it has none. */
export type Line = { readonly text: string } | { readonly fault: string }

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/**
 * Splits a byte stream at line feeds. A carriage return before one, and a byte order mark at the start of a line, are
 * dropped; a last line without a line feed counts. A line of more than `maxBytes` is skipped without being held in
 * memory; it and a line that is not UTF-8 are told as faults.
 */
export async function* readLines(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let parts: Uint8Array[] = []
  let length = 0

  const take = (): Line => {
    const bytes = Buffer.concat(parts)
    const tooLong = length > maxBytes
    parts = []
    length = 0
    if (tooLong) return { fault: `the line is longer than ${maxBytes} bytes` }
    const end = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length
    try {
      return { text: decoder.decode(bytes.subarray(0, end)) }
    } catch {
      return { fault: 'the line is not UTF-8' }
    }
  }
  const add = (part: Uint8Array): void => {
    length += part.length
    if (length > maxBytes) parts = []
    else parts.push(part)
  }

  for await (const chunk of source) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      add(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    if (start < chunk.length) add(chunk.subarray(start))
  }
  if (length > 0) yield take()
}
