import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HydraConfigError } from '../errors.ts'
import { shown } from '../shown.ts'
import type { ConfigSource } from '../source/source.ts'
import { type DirOptions, fromDir } from './dir.ts'
import { watchDir } from './dir-watch.ts'
import { exportedFolder } from './package-exports.ts'

/** Options of {@link fromPackage}. */
export interface PackageOptions extends DirOptions {
  /** The directory, or module, from which the package is looked for. Default: the current directory. */
  readonly from?: string | URL
}

/**
 * The directory of configs of an installed package: `pkg://name/conf` or `pkg://@scope/name/conf`.
 *
 * It is found as an import is: in the `node_modules` around `from`, and where the package has `exports`, they must have
 * the directory, such as `"./conf/*": "./conf/*"`, and say where it is.
 *
 * @throws {HydraConfigError} `INVALID_OPTION`; of `files()`: `SOURCE_NOT_FOUND` where there is no such package or
 *   directory, `SOURCE_READ`
 */
export function fromPackage(path: string, options: PackageOptions = {}): ConfigSource {
  const { name, folder } = partsOf(path)
  const directoryOf = (): string => {
    const directory = resolveFolder(name, folder, options.from)
    if (directory !== undefined) return directory
    const missing = folder === '' ? 'its files' : `"./${folder}/*"`
    throw new HydraConfigError(
      'SOURCE_NOT_FOUND',
      `${path} is not there: install ${name}, and let it export ${missing}`,
    )
  }
  let source: ConfigSource | undefined
  return {
    path,
    files: async (signal) => {
      source ??= fromDir(directoryOf(), options)
      return await source.files(signal)
    },
    async *watch(signal) {
      yield* watchDir(directoryOf(), signal)
    },
  }
}

/**
 * The source of an entry of `hydra.searchpath`: `pkg://name/conf`, `file:///srv/conf`, `file://conf` or a path.
 * @throws {HydraConfigError} as {@link fromPackage} and {@link fromDir} do, `INVALID_OPTION` for other schemes
 */
export function resolveSource(path: string, options: PackageOptions = {}): ConfigSource {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/s.exec(path) ?? []
  if (scheme === 'pkg') return fromPackage(path, options)
  // As in Hydra, what follows is a path, not an address: relative, and without escapes.
  if (scheme === 'file') return fromDir(rest, options)
  if (scheme === undefined) return fromDir(path, options)
  throw new HydraConfigError(
    'INVALID_OPTION',
    `the search path has no source for ${shown(path)}: it takes file:// and pkg://`,
  )
}

function partsOf(path: unknown): { readonly name: string; readonly folder: string } {
  const match = typeof path === 'string' && /^pkg:\/\/((?:@[\w.~-]+\/)?[\w~-][\w.~-]*)(?:\/(.*))?$/.exec(path)
  const [, name = '', folder = ''] = match || []
  const steps = folder.split('/').filter((step) => step !== '')
  if (name === '' || steps.includes('..') || steps.includes('.') || /[\0\\%]/.test(folder)) {
    throw new HydraConfigError('INVALID_OPTION', `path must be like pkg://name/conf, not ${shown(path)}`)
  }
  return { name, folder: steps.join('/') }
}

/** Undefined where there is none. */
function resolveFolder(name: string, folder: string, from: string | URL = process.cwd()): string | undefined {
  const base = from instanceof URL || from.startsWith('file:') ? fileURLToPath(from) : resolve(from)
  const places = createRequire(join(base, 'here.js')).resolve.paths(name) ?? []
  for (const place of places) {
    const home = join(place, name)
    const manifest = manifestOf(home)
    if (manifest === undefined) continue
    const inside = 'exports' in manifest ? exportedFolder(manifest.exports, folder) : folder
    const directory = inside === undefined ? undefined : resolve(home, inside)
    const isInside = directory === home || directory?.startsWith(home + sep)
    return directory !== undefined && isInside && isDirectory(directory) ? directory : undefined
  }
  return undefined
}

function manifestOf(home: string): object | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
    return typeof manifest === 'object' && manifest !== null ? manifest : undefined
  } catch {
    return undefined
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
