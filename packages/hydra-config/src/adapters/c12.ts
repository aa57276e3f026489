import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { HydraConfigError } from '../errors.ts'
import { type C12Options, importC12 } from '../import/c12.ts'
import type { ConfigSource } from '../source/source.ts'
import { readConfigText } from './dir-read.ts'

export { type C12Options, importC12 }

/**
 * The configuration of c12 in a directory as a source, read anew each time: see {@link importC12}. The environment is
 * that of `NODE_ENV`, unless it is given.
 *
 * @throws {HydraConfigError} of `files()`: `SOURCE_READ`, and as {@link importC12}
 */
export function fromC12(folder: string, options: C12Options = {}): ConfigSource {
  const home = resolve(folder)
  const { NODE_ENV } = process.env
  const asked = { ...(NODE_ENV === undefined ? {} : { environment: NODE_ENV }), ...options }
  return { path: `c12://${home}`, files: () => importC12((path) => textOf(join(home, path)), asked) }
}

function textOf(location: string): string | undefined {
  if (!existsSync(location)) return undefined
  const text = readConfigText(location)
  if (text instanceof HydraConfigError) throw text
  return text
}
