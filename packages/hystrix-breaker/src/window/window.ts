/** What a window holds. A call that was slow and failed counts in both. */
export interface Counts {
  readonly total: number
  readonly failures: number
  readonly slow: number
}

/** Counted outcomes, oldest forgotten first. A circuit makes one at its first outcome. */
export interface OutcomeWindow {
  /** What comes back is what the window holds then; it is its own, and only good until it is asked the next thing. */
  record(now: number, failed: boolean, slow: boolean): Counts
  /** What it holds at `now`. A time before the latest one is taken for the latest one. */
  counts(now: number): Counts
  clear(): void
  /** What {@link OutcomeWindow.load} reads, as plain numbers. */
  save(now: number): readonly number[]
  /** False, and nothing changed, where `saved` is not what a window of this shape saves. */
  load(saved: readonly number[], now: number): boolean
}

export const noCounts: Counts = { total: 0, failures: 0, slow: 0 }
