/** Lines kept of one run. A longer run keeps its last ones. */
const maxTraceLines = 10_000

/** What happened in one run, in order: one line each, `<monotonic ms> <task> <event> <text>`. */
export class Trace {
  // Formatting waits until somebody reads: most runs pass unread.
  readonly #ring: (readonly [at: number, task: string, event: string, text: string])[] = []
  #written = 0

  add(at: number, task: string, event: string, text: string): void {
    this.#ring[this.#written++ % maxTraceLines] = [at, task, event, text]
  }

  /** The last `count` lines, and before them a line that says how many are left out. */
  last(count: number): string {
    const shown = Math.min(count, this.#written, maxTraceLines)
    const lines: string[] = []
    if (shown < this.#written) lines.push(`(${this.#written - shown} earlier lines are not shown)`)
    for (let index = this.#written - shown; index < this.#written; index++) {
      const entry = this.#ring[index % maxTraceLines]
      if (entry !== undefined) lines.push(format(entry))
    }
    return lines.join('\n')
  }

  toString(): string {
    return this.last(maxTraceLines)
  }
}

function format([at, task, event, text]: readonly [number, string, string, string]): string {
  const line = `${at} ${task} ${event} ${text}`.trimEnd()
  return line.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}
