import { isGlob, isSwept, type Override } from '../override/override.ts'
import { refuse } from './refuse.ts'

/**
 * Refuses an override that has several values, where one job is composed.
 * @param example of a value in quotes, as the caller would write it
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function refuseSweep({ text, value }: Override, example = "key='value1,value2'"): void {
  if (!isSwept(value)) return
  const isSimple = !isGlob(value) && value.kind === 'choice' && value.simple
  refuse(
    isSimple
      ? `Ambiguous value for argument '${text}'
1. To use it as a list, use key=[value1,value2]
2. To use it as string, quote the value: ${example}
3. To sweep over it, add --multirun to your command line`
      : `Sweep parameters '${text}' requires --multirun`,
  )
}
