import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { shown } from '../shown.ts'
import type { ConfigSource } from './source.ts'

/**
 * A source in a store that holds all files as one value: whoever reads sees one publication, never parts of two.
 */
export interface PublishedSource extends ConfigSource {
  /**
   * Replaces all files at once and tells those who watch.
   *
   * @param files as `files()` of another source gives them; at most 10,000, of 64 MiB together
   * @returns the revision: the first is 1 or above, each later one higher than those before
   * @throws {HydraConfigError} `INVALID_OPTION` for files that are none, `SOURCE_READ`
   */
  publish(files: ReadonlyMap<string, string>): Promise<number>
}

const maxFiles = 10_000
const maxCharacters = 64 * 1024 * 1024

/**
 * Files as one JSON object of path to text, to be kept in a store.
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function packFiles(files: ReadonlyMap<string, string>): string {
  if (files.size > maxFiles) refuse(`files has ${files.size} files; at most ${maxFiles} can be published`)
  let characters = 0
  // Not `files` itself: what cannot be read is to throw.
  const texts = Object.fromEntries(
    files.keys().map((path) => {
      const text = files.get(path)
      ensureFile(path, text)
      characters += path.length + text.length
      if (characters > maxCharacters) refuse(`files has more than ${maxCharacters} characters`)
      return [path, text]
    }),
  )
  return JSON.stringify(texts)
}

/**
 * What {@link packFiles} made.
 *
 * @param path of the source, for errors
 * @throws {HydraConfigError} `SOURCE_READ`
 */
export function unpackFiles(packed: string, path: string): ReadonlyMap<string, string> {
  try {
    const texts: unknown = JSON.parse(packed)
    if (typeof texts !== 'object' || texts === null || Array.isArray(texts)) throw new TypeError('no object')
    const files = new Map<string, string>()
    for (const [name, text] of Object.entries(texts)) {
      ensureFile(name, text)
      files.set(name, text)
    }
    return files
  } catch (cause) {
    const reason = isHydraConfigError(cause) ? cause.message : 'it is not the JSON that publish() writes'
    throw new HydraConfigError('SOURCE_READ', `what ${path} holds is no folder of configs: ${reason}`, {
      cause,
    })
  }
}

/** @throws {HydraConfigError} `SOURCE_NOT_FOUND` */
export function nothingPublished(path: string): never {
  throw new HydraConfigError(
    'SOURCE_NOT_FOUND',
    `nothing has been published at ${path}: call publish() first`,
  )
}

/** An error of a store, as one of this package. */
export function storeFailed(path: string, cause: unknown): HydraConfigError {
  if (isHydraConfigError(cause)) return cause
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause)
  return new HydraConfigError('SOURCE_READ', `${path} cannot be reached: ${reason}`, { cause })
}

/**
 * The name of a publication or the like: letters, digits, `_` and `-`, at most 63.
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function checkName(option: string, name: unknown): string {
  if (typeof name === 'string' && /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/.test(name)) return name
  return refuse(`${option} must be up to 63 letters, digits, _ and -, the first no digit, not ${shown(name)}`)
}

function ensureFile(path: string, text: unknown): asserts text is string {
  const which = shown(path)
  const steps = (path.endsWith('/') ? path.slice(0, -1) : path).split('/')
  if (steps.some((step) => ['', '.', '..'].includes(step)) || /[\0\\]/.test(path) || !path.isWellFormed()) {
    refuse(`${which} is no path of a config: it must be like group/option.yaml`)
  }
  if (typeof text !== 'string') refuse(`the text of ${which} is no string`)
  // No store takes all of these, and no YAML either.
  if (text.includes('\0') || !text.isWellFormed()) {
    refuse(`the text of ${which} holds a NUL or half a surrogate pair, which no configuration may`)
  }
}

function refuse(message: string): never {
  throw new HydraConfigError('INVALID_OPTION', message)
}
