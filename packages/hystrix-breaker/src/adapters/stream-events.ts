/** One thing that came over a stream: the data of an event, or a sign of life. */
export type StreamEvent = { readonly kind: 'data'; readonly text: string } | { readonly kind: 'ping' }

/**
 * Reads an event stream piece by piece, as far as streams of Hystrix need it: `data` and `ping`; other fields and
 * comments are left out. HTML Living Standard, 9.2.6.
 */
export class EventStreamReader {
  readonly #max: number
  #line = ''
  #data: string[] = []
  #size = 0
  #started = false

  /** @param max characters of one event, at most */
  constructor(max: number) {
    this.#max = max
  }

  /** @throws RangeError where an event is longer than it may be. */
  read(piece: string): StreamEvent[] {
    const events: StreamEvent[] = []
    const text = this.#line + (this.#started ? piece : piece.replace(/^\uFEFF/, ''))
    if (piece !== '') this.#started = true
    // A carriage return at the end may be the first half of a line end.
    const lines = text.split(/\r\n|\n|\r(?!$)/)
    this.#line = lines.pop() ?? ''
    for (const line of lines) this.#readLine(line, events)
    if (this.#line.length + this.#size > this.#max) this.#tooLong()
    return events
  }

  #readLine(line: string, events: StreamEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) events.push({ kind: 'data', text: this.#data.join('\n') })
      this.#data = []
      this.#size = 0
      return
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?([\s\S]*))?$/.exec(line) ?? []
    if (field === 'data') {
      this.#data.push(value)
      this.#size += value.length + 1
      if (this.#size > this.#max) this.#tooLong()
    } else if (field === 'ping') events.push({ kind: 'ping' })
  }

  #tooLong(): never {
    throw new RangeError(`an event is longer than ${this.#max} characters`)
  }
}
