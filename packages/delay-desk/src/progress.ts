import type { Writable } from 'node:stream'

const REDRAW_MS = 100

/** Where progress is shown: standard output, or what stands in for it. */
type Screen = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** Progress on standard output: one live line in a terminal, elsewhere a line at each tenth of the way. */
export class Progress {
  readonly #out: Screen
  #phase = ''
  #tenth = 0
  #drawn = 0

  constructor(out: Screen = process.stdout) {
    this.#out = out
  }

  /** A line that stays. */
  line(text: string): void {
    this.clear()
    this.#out.write(`${text}\n`)
  }

  /** How far a phase has come. */
  show(phase: string, done: number, of: number, more: string = ''): void {
    if (phase !== this.#phase) {
      this.#phase = phase
      this.#tenth = 0
      this.#drawn = 0
    }
    const text = `  ${phase}  ${String(Math.floor((100 * done) / of)).padStart(3)} %  ${count(done)} of ${count(of)}${more}`
    const tenth = Math.floor((10 * done) / of)
    if (this.#out.isTTY) {
      const now = performance.now()
      if (now - this.#drawn < REDRAW_MS && done < of) return
      this.#drawn = now
      this.#out.write(`\r${text.slice(0, (this.#out.columns || 80) - 1)}\u001B[K`)
      if (done >= of) this.#out.write('\n')
    } else if (tenth > this.#tenth) {
      this.#out.write(`${text}\n`)
    }
    this.#tenth = tenth
  }

  /** Takes the live line away. */
  clear(): void {
    if (this.#out.isTTY) this.#out.write('\r\u001B[K')
  }
}

/** A number with its thousands marked: `20,000`. */
export function count(number: number): string {
  return number.toLocaleString('en-US')
}
