import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { FailedJob } from '../job/multirun.ts'
import type { Platform } from '../job/platform.ts'
import { stringRepr } from '../value/python-string.ts'

/** Exceptions whose messages say all, so that Hydra leaves the stack out. */
const compact: ReadonlySet<string | undefined> = new Set([
  'ConfigCompositionException',
  'MissingConfigException',
  'OverrideParseException',
  'SearchPathException',
])

const grammarPage = 'See https://hydra.cc/docs/1.2/advanced/override_grammar/basic for details\n'

/** Writes what went wrong, as Hydra does: in short, or all of it where `HYDRA_FULL_ERROR=1`. */
export function reportFailure(
  error: unknown,
  { err, environment }: Pick<Platform, 'err' | 'environment'>,
): void {
  const full = environment('HYDRA_FULL_ERROR') === '1'
  let thrown = error
  if (error instanceof FailedJob) {
    err(`Error executing job with overrides: [${error.job.overrides.map(stringRepr).join(', ')}]\n`)
    thrown = error.cause
  }
  if (full) {
    err(`${stackOf(thrown)}\n`)
    return
  }
  if (isHydraConfigError(thrown))
    err(`${messageOf(thrown)}\n${thrown.code === 'OVERRIDE_PARSE' ? grammarPage : ''}`)
  else err(`${stackOf(thrown).replace(/\n *at (?:async )?(?:doTask|outcomeOf) [\s\S]*/, '')}\n`)
  err('\nSet the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.\n')
}

function messageOf(error: HydraConfigError): string {
  const own =
    compact.has(error.class) || error.class === undefined ? error.message : `${error.class}: ${error.message}`
  const { cause } = error
  return isHydraConfigError(cause) && cause.message !== '' ? `${own}\n${cause.message}` : own
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
