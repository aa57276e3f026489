import { recordEvidence } from '@loadbearing/tooling/evidence'
import { isZanzibarError } from '../../src/index.ts'
import { openTestStore } from '../stores/open-test-store.ts'
import { Chance } from './fuzz/inputs.ts'
import { targetsOn } from './fuzz/targets.ts'
import { seeded } from './seeded.ts'

/** What came of a kind of input. */
export interface Fuzzed {
  readonly name: string
  inputs: number
  /** With a typed error. */
  refused: number
  /** The longest time that an input took, in milliseconds, and the input. */
  slowest: number
  slowestInput: string
  /** Inputs that were answered with what is no typed error, or an internal one. */
  readonly failures: string[]
}

const maxFailures = 5

/** Puts random input to all that takes input from outside, on stores in memory and in SQLite, as long as `goesOn`. */
export async function fuzz(seed: number, goesOn: (round: number) => boolean): Promise<readonly Fuzzed[]> {
  await using memory = await openTestStore('memory')
  await using sqlite = await openTestStore('sqlite')
  const stores = [await targetsOn(memory.store), await targetsOn(sqlite.store)]
  const tallies = new Map<string, Fuzzed>()
  const chance = new Chance(seeded(seed))
  for (let round = 0; goesOn(round); round++) {
    for (const { name, draw } of stores[round % stores.length] ?? []) {
      const tally = tallyOf(tallies, name)
      const { input, put } = draw(chance)
      const begun = performance.now()
      try {
        tally.inputs++
        await put()
      } catch (error) {
        if (isZanzibarError(error) && error.code !== 'internal_error') tally.refused++
        else tally.failures.push(`seed ${seed}, round ${round}: ${JSON.stringify(input)}\n${shown(error)}`)
      }
      const took = performance.now() - begun
      if (took > tally.slowest) Object.assign(tally, { slowest: took, slowestInput: JSON.stringify(input) })
      if (tally.failures.length >= maxFailures) return [...tallies.values()]
    }
  }
  return [...tallies.values()]
}

function tallyOf(tallies: Map<string, Fuzzed>, name: string): Fuzzed {
  let tally = tallies.get(name)
  if (tally === undefined) {
    tally = { name, inputs: 0, refused: 0, slowest: 0, slowestInput: '', failures: [] }
    tallies.set(name, tally)
  }
  return tally
}

function shown(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : `thrown: ${String(error)}`
}

export interface FuzzOptions {
  readonly seed: number
  readonly seconds: number
  readonly record: boolean
}

/** Fuzzes for a time; whether all errors were typed. */
export async function fuzzCampaign({ seed, seconds, record }: FuzzOptions): Promise<boolean> {
  const end = performance.now() + seconds * 1000
  const fuzzed = await fuzz(seed, () => performance.now() < end)
  for (const { name, inputs, refused, slowest, slowestInput, failures } of fuzzed) {
    console.log(
      `${name}: ${inputs} inputs, ${refused} refused, the slowest took ${slowest.toFixed(1)} ms: ${slowestInput.slice(0, 500)}`,
    )
    for (const failure of failures) console.log(`NOT TYPED, ${failure}`)
  }
  const isClean = fuzzed.every(({ failures }) => failures.length === 0)
  if (record && isClean) {
    recordEvidence(new URL('../..', import.meta.url), 'fuzz', {
      command: `pnpm --filter @loadbearing/zanzibar faults --campaign fuzz --seed ${seed} --seconds ${seconds} --record`,
      seed,
      versions: { node: process.versions.node },
      columns: ['input', 'tried', 'refused, with a typed error', 'anything else'],
      rows: fuzzed.map(({ name, inputs, refused, failures }) => [
        what[name] ?? name,
        inputs,
        refused,
        failures.length,
      ]),
      notes: [`For ${seconds} seconds, on stores in memory and in SQLite.`],
    })
  }
  return isClean
}

const what: Readonly<Record<string, string>> = {
  identifiers: 'users, relations and objects, to every question and write',
  bodies: "JSON bodies, to every call of OpenFGA's API",
  models: 'texts in the DSL, with conditions',
  tokens: 'tokens of moments, cursors and continuation tokens',
}
