import { originText } from './value/origin-text.ts'
import type { Origin } from './value/value.ts'

/** What went wrong, as a closed set. */
export type HydraConfigErrorCode =
  /** An option is not what its documentation asks for. */
  | 'INVALID_OPTION'
  /** A text is no YAML that OmegaConf reads, or no configuration. */
  | 'YAML_INVALID'
  /** A string with `${` is not of OmegaConf's interpolation grammar. */
  | 'INTERPOLATION_PARSE'
  /** An interpolation, or a path to a value, leads nowhere. */
  | 'INTERPOLATION_UNRESOLVED'
  /** A path leads to nothing in the configuration. */
  | 'UNKNOWN_PATH'
  /** An interpolation leads back to itself; the message names the way. */
  | 'INTERPOLATION_CYCLE'
  /** A value waits for a resolver that has not answered yet: await the composition. */
  | 'INTERPOLATION_PENDING'
  /** The signal that was given ended the work; its reason is the `cause`. */
  | 'ABORTED'
  /** A value that has to be set is missing (`???`) where it is read. */
  | 'MISSING_VALUE'
  /** Two values cannot be merged: one is a map and the other a list. */
  | 'MERGE'
  /** An override is not of Hydra's override grammar, or one of its functions cannot take its arguments. */
  | 'OVERRIDE_PARSE'
  /** The defaults lists and overrides do not make one configuration. */
  | 'COMPOSITION'
  /** A config that a defaults list or an override names is not there. */
  | 'MISSING_CONFIG'
  /** The defaults of a config are no list of configs and groups. */
  | 'INVALID_DEFAULTS'
  /** The `# @package` of a config cannot be read. */
  | 'INVALID_HEADER'
  /** A configuration is not what its schema or its plain form asks for. */
  | 'CONFIG_INVALID'
  /** A change of what is readonly. */
  | 'READONLY'
  /** A `_target_` that the registry has not. */
  | 'UNREGISTERED_TARGET'
  /** A config cannot be instantiated: its keys are wrong, or its target failed. */
  | 'INSTANTIATE'
  /** Where a source should be is nothing. */
  | 'SOURCE_NOT_FOUND'
  /** A source, or a file of it, is there and cannot be read: no permission, no UTF-8, too large, gone away. */
  | 'SOURCE_READ'
  /** A source or a composition took longer than it may. */
  | 'TIMED_OUT'
  /** A sweep cannot be enumerated, or has too many jobs. */
  | 'SWEEP'
  /** The thread or process of a job ended before it told what came of the job. */
  | 'JOB_LOST'
  /** The queue of a launcher cannot be reached. */
  | 'QUEUE_FAILED'

/** One thing that a schema does not take; secrets are left out of it. */
export interface ConfigIssue {
  /** Such as `db.ports[0]`; empty for the whole configuration. */
  readonly path: string
  readonly message: string
  /** Where the value was written, or what it would stand in where it is not there. */
  readonly origin?: Origin
}

/** Details of a {@link HydraConfigError}. */
export interface HydraConfigErrorOptions extends ErrorOptions {
  /** The name of the exception that Hydra or OmegaConf raises here, such as `OverrideParseException`. */
  readonly class?: string | undefined
  /** Where the text is at fault, counted in Unicode characters from 0. */
  readonly offset?: number | undefined
  /** All that the schema does not take. */
  readonly issues?: readonly ConfigIssue[] | undefined
  /** Where the value at fault was written. */
  readonly origin?: Origin | undefined
  /** The path of the value at fault, such as `db.port`. */
  readonly path?: string | undefined
}

// Registered, so that an error of another copy of this package is known as well.
const brand: symbol = Symbol.for('loadbearing:hydra-config:error')

/** The one error class of this package. `message` names what is at fault, what was received and what to do. */
export class HydraConfigError extends Error {
  override readonly name: string = 'HydraConfigError'
  readonly code: HydraConfigErrorCode
  /** `message` without its last line, which tells where the value was written. */
  readonly problem: string
  /** The name of the exception that Hydra or OmegaConf raises here; undefined where they have none. */
  readonly class?: string
  /** Where the text is at fault, counted in Unicode characters from 0; undefined where no text is. */
  readonly offset?: number
  /** With `CONFIG_INVALID`: all that the schema does not take. */
  readonly issues?: readonly ConfigIssue[]
  /** Where the value at fault was written; undefined where no value is at fault. */
  readonly origin?: Origin
  /** The path of the value at fault, such as `db.port`; undefined where no value is at fault. */
  readonly path?: string

  constructor(
    code: HydraConfigErrorCode,
    message: string,
    { cause, ...details }: HydraConfigErrorOptions = {},
  ) {
    super(withPlace(message, details.origin), cause === undefined ? undefined : { cause })
    this.code = code
    this.problem = message
    Object.assign(this, details)
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Where something went wrong. */
interface ErrorPlace {
  readonly origin?: Origin | undefined
  readonly path?: string | undefined
}

/** Does `work`; an error of it that tells no place gets this one. */
export function placed<Result>(place: ErrorPlace, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw placedError(error, place)
  }
}

/** The error with a place, where it tells none. */
export function placedError(error: unknown, { origin, path }: ErrorPlace): unknown {
  if (!isHydraConfigError(error) || error.origin !== undefined || origin === undefined) return error
  const { message } = error
  const at = remade(error, { origin, path: error.path ?? path })
  if (error.stack !== undefined) at.stack = error.stack.replace(message, () => at.message)
  return at
}

/** The same error with other details, or another problem. */
export function remade(
  error: HydraConfigError,
  { problem = error.problem, ...details }: HydraConfigErrorOptions & { readonly problem?: string },
): HydraConfigError {
  const { code, class: ofClass, offset, issues, origin, path, cause } = error
  const before = { class: ofClass, offset, issues, origin, path, cause }
  return new HydraConfigError(code, problem, { ...before, ...details })
}

/** The message, with the place below it unless it is in it. */
function withPlace(message: string, origin: Origin | undefined): string {
  if (origin === undefined || origin.kind === 'code') return message
  const place = originText(origin)
  return message.includes(place) ? message : `${message.trimEnd()}\n  at ${place}`
}

/** Whether `error` is a {@link HydraConfigError}, of this copy of the package or of another one. */
export function isHydraConfigError(error: unknown): error is HydraConfigError {
  return error instanceof Error && brand in error
}
