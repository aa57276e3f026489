import { readFileSync } from 'node:fs'

/** The fullest that memory was seen, in bytes. */
export class MemoryWatch {
  #peak = 0

  /**
   * Looks at this process and the given ones. Pages that they share, as the program's own, count once (PSS, Linux only).
   */
  look(pids: readonly number[]): void {
    const sizes = [process.pid, ...pids].map(proportionalSize)
    this.#peak = Math.max(
      this.#peak,
      sizes.reduce((sum, size) => sum + size, 0),
    )
  }

  /** This process and its children together; 0 where the system does not tell. */
  get together(): number {
    return this.#peak
  }

  /** The resident set of this process at its largest. */
  get own(): number {
    return process.resourceUsage().maxRSS * 1024
  }
}

function proportionalSize(pid: number): number {
  try {
    const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
    return Number(kibibytes ?? 0) * 1024
  } catch {
    return 0
  }
}
