import { hydraTypes } from '../compose/hydra-keys.ts'
import { typeLines } from '../compose/type-lines.ts'
import { type HydraConfigError, isHydraConfigError } from '../errors.ts'
import { FailedJob } from '../job/multirun.ts'
import type { Platform } from '../job/platform.ts'
import { antlrMessage } from '../override/antlr/message.ts'
import { originText } from '../value/origin-text.ts'
import { stringRepr } from '../value/python-string.ts'
import { keysOf } from '../value/value-path.ts'

type Told = Pick<Platform, 'err' | 'environment'> & {
  /** Whether OmegaConf resolved a configuration as a whole: then it tells no types of what it failed at. */
  readonly resolving?: boolean
}

/** Exceptions whose messages say all, so that Hydra leaves the stack out. */
const compact: ReadonlySet<string | undefined> = new Set([
  'ConfigCompositionException',
  'InstantiationException',
  'MissingConfigException',
  'OverrideParseException',
  'SearchPathException',
])

const grammarPage = 'See https://hydra.cc/docs/1.2/advanced/override_grammar/basic for details'

/**
 * Writes what went wrong in a command that Hydra guards: what Hydra writes, and below it the place that the value at
 * fault was written at, which only we know. All of it where `HYDRA_FULL_ERROR=1`.
 */
export function reportFailure(error: unknown, told: Told): void {
  if (error instanceof FailedJob) return reportFailedJob(error, told)
  if (isFull(told) || !isHydraConfigError(error) || !compact.has(error.class))
    return reportUnguarded(error, told)
  told.err(`${problemOf(error)}\n${causeOf(error)}${placeOf(error)}${hint}`)
}

/** Writes what went wrong where Hydra guards nothing, so that Python names the class of the exception. */
export function reportUnguarded(error: unknown, told: Told): void {
  if (isFull(told) || !isHydraConfigError(error)) told.err(`${stackOf(error)}\n`)
  else told.err(`${classed(error, told)}\n${causeOf(error)}${placeOf(error)}`)
}

function reportFailedJob({ job, cause }: FailedJob, told: Told): void {
  told.err(`Error executing job with overrides: [${job.overrides.map(stringRepr).join(', ')}]\n`)
  if (isFull(told)) told.err(`${stackOf(cause)}\n`)
  else if (isHydraConfigError(cause)) told.err(`${classed(cause, told)}\n${placeOf(cause)}${hint}`)
  else told.err(`${stackOf(cause).replace(/\n *at (?:async )?(?:doTask|outcomeOf) [\s\S]*/, '')}\n${hint}`)
}

const hint = '\nSet the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.\n'

function isFull({ environment }: Told): boolean {
  return environment('HYDRA_FULL_ERROR') === '1'
}

function classed(error: HydraConfigError, { resolving = false }: Told): string {
  const text = problemOf(error) + (resolving ? '' : typesOf(error))
  return error.class === undefined ? text : `${error.class}: ${text}`
}

// Hydra reads these by a path from the root, and the others from what they stand in.
const selectedFromRoot: ReadonlySet<string> = new Set(['hydra.run.dir', 'hydra.sweep.subdir'])

/** As OmegaConf tells them of a value that was read and whose interpolation fails. */
function typesOf({ code, path, problem }: HydraConfigError): string {
  if (problem.includes('\n    object_type=')) return ''
  if ((code !== 'INTERPOLATION_UNRESOLVED' && code !== 'INTERPOLATION_CYCLE') || path === undefined) return ''
  const [root, ...steps] = keysOf(path).slice(0, -1)
  const ofHydra = root === 'hydra' && !selectedFromRoot.has(path) ? hydraTypes(steps) : undefined
  return typeLines(path, ofHydra ?? { object: path.endsWith(']') ? 'list' : 'dict' })
}

function problemOf({ problem, code, origin }: HydraConfigError): string {
  if (code !== 'OVERRIDE_PARSE') return problem
  return origin?.kind === 'override' ? overrideProblem(problem, origin.text) : `${problem}\n${grammarPage}`
}

/** What Hydra says of an override that cannot be read, where `problem` is what we say of it. */
export function overrideProblem(problem: string, text: string): string {
  const ofLexer = problem.startsWith('LexerNoViableAltException')
  const ofParser = problem.startsWith('override ') ? antlrMessage(text) : undefined
  const told = ofParser ?? (ofLexer ? problem.slice(0, problem.lastIndexOf('\n')) : problem)
  return `${told}\n${grammarPage}`
}

/** Hydra tells OmegaConf's exception below its own about an override; its own about a config has it in it. */
function causeOf({ cause, problem }: HydraConfigError): string {
  if (!isHydraConfigError(cause) || cause.class === undefined) return ''
  const isTold = problem.includes(cause.problem) || problem.includes(' raised while composing config:\n')
  return !isTold ? `${cause.problem}\n` : ''
}

/** The last line of the message, where it tells the place: `  at /srv/app/conf/db/pg.yaml:3:7`. */
function placeOf({ message, problem, code, offset, origin }: HydraConfigError): string {
  if (code === 'OVERRIDE_PARSE' && origin !== undefined && offset !== undefined) {
    return `  at ${originText(origin)}, offset ${offset}\n`
  }
  const place = /\n( {2}at [^\n]*)$/.exec(message)?.[1]
  return place === undefined || problem.endsWith(place) ? '' : `${place}\n`
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
