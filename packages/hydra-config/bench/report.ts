import type { ComparisonResult, Spread } from '@loadbearing/harness/bench'

/** What a run of the benchmark found: a row for each subject of each work, and a verdict for each target. */
export class Report {
  static readonly columns: readonly string[] = [
    'work',
    'subject',
    'per call',
    'quartiles',
    'time over ours',
    'memory of the process',
  ]
  static readonly targetColumns: readonly string[] = [
    'Target (specification, section 10)',
    'Wanted',
    'Measured',
    '',
  ]
  readonly rows: string[][] = []
  readonly targets: string[][] = []
  readonly notes: string[] = []

  add({ work, measured, failed }: ComparisonResult): void {
    for (const { name, nsPerCall, ratio, rssBytes } of measured) {
      const quartiles = `${duration(nsPerCall.p25)} to ${duration(nsPerCall.p75)}`
      const held = rssBytes === undefined ? '' : `${(rssBytes / 2 ** 20).toFixed(1)} MiB`
      this.rows.push([work, name, duration(nsPerCall.median), quartiles, spreadText(ratio), held])
    }
    for (const { name, error } of failed)
      this.notes.push(`${name} failed at '${work}': ${error.message.slice(0, 160)}`)
  }

  /** A target that `value` meets or does not; undefined where what it is measured against is not there. */
  readonly target = (
    what: string,
    wanted: string,
    value: number | undefined,
    holds: (value: number) => boolean,
    unit: string = 'times',
  ): void => {
    if (value === undefined) return this.#verdict(what, wanted, 'not measured', 'not measured')
    this.#verdict(what, wanted, `${figure(value)} ${unit}`, holds(value) ? 'MET' : 'NOT MET')
  }

  /** What no target is set for. */
  readonly told = (what: string, value: number | undefined, unit: string = 'times'): void => {
    this.#verdict(what, 'told', value === undefined ? 'not measured' : `${figure(value)} ${unit}`, '')
  }

  #verdict(...row: [what: string, wanted: string, measured: string, verdict: string]): void {
    this.targets.push(row)
    const [what, wanted, measured, verdict] = row
    console.log(`${verdict === '' ? 'TOLD' : verdict}: ${what}: ${measured} (wanted: ${wanted})\n`)
  }
}

/** How many times our time the peer takes; undefined where it was not measured. */
export function ratioOf({ measured }: ComparisonResult, peer: string): number | undefined {
  return measured.find(({ name }) => name === peer)?.ratio.median
}

function figure(value: number): string {
  return value.toPrecision(3)
}

function spreadText({ median, p25, p75 }: Spread): string {
  return median === 1 && p25 === 1 ? '1' : `${figure(median)} (${figure(p25)} to ${figure(p75)})`
}

function duration(ns: number): string {
  if (ns < 1000) return `${figure(ns)} ns`
  if (ns < 1e6) return `${figure(ns / 1e3)} µs`
  return ns < 1e9 ? `${figure(ns / 1e6)} ms` : `${figure(ns / 1e9)} s`
}
