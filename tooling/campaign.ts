import { parseArgs } from 'node:util'

/** What a campaign of random cases takes from the command line. */
export interface CampaignOptions {
  /** The same seed makes the same cases. */
  readonly seed: number
  readonly runs: number
}

/**
 * Reads `--seed N --runs N` from the command line; without a seed one is drawn. Prints `usage` for `--help`, and with
 * what is wrong for arguments that cannot be read: then the exit status is 2.
 *
 * @returns undefined where there is nothing to run
 */
export function readCampaignOptions(usage: string, runsByDefault: number): CampaignOptions | undefined {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string' },
        runs: { type: 'string', default: String(runsByDefault) },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) {
      console.log(usage)
      return undefined
    }
    const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 31))
    const runs = Number(values.runs)
    if (!Number.isSafeInteger(seed)) throw new Error(`--seed must be an integer, not ${values.seed}`)
    if (!Number.isSafeInteger(runs) || runs < 1)
      throw new Error(`--runs must be a positive integer, not ${values.runs}`)
    return { seed, runs }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exitCode = 2
    return undefined
  }
}
