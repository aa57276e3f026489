import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HydraConfigError } from '../errors.ts'
import { RefusableFiles } from '../source/refusable-files.ts'
import type { ConfigSource } from '../source/source.ts'
import { type FolderListing, isUnchanged, listFolder, sameListing } from './dir-list.ts'
import { readConfigText } from './dir-read.ts'
import { turn } from './dir-turn.ts'
import { watchDir } from './dir-watch.ts'

/** Options of {@link fromDir}. */
export interface DirOptions {
  /**
   * `hydra-1.3` follows symbolic links wherever they lead. `strict` refuses files that links bring from outside the
   * directory, and files whose names differ in case alone, which another file system would hold for one. Default:
   * `hydra-1.3`.
   */
  readonly semantics?: 'hydra-1.3' | 'strict'
}

/** How often a directory that changes while it is read is read again. */
const maxAttempts = 30

/**
 * The `.yaml` files below a directory, each at most 16 MiB of UTF-8, as Hydra reads them: `.yml` is none, line ends
 * become `\n`, symbolic links are followed. Directories whose names begin with a dot, `node_modules` and
 * `__pycache__` are left out. At most 10,000 configs. What has not changed since the last time is not read again.
 *
 * @param path of the directory; a relative one is taken from the current directory now, not later
 * @throws {HydraConfigError} `INVALID_OPTION`; of `files()`: `SOURCE_NOT_FOUND` where there is no such directory,
 *   `SOURCE_READ`
 */
export function fromDir(path: string | URL, options: DirOptions = {}): ConfigSource {
  const root = rootOf(path)
  const strict = strictOf(options)
  let known: Snapshot | undefined
  return {
    path: `file://${root}`,
    async files(signal) {
      if (known !== undefined && (await isUnchanged(known.listing, signal))) return known.files
      for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
        const listing = await listFolder(root, signal)
        const texts = await readAll(listing, known?.texts ?? new Map(), signal)
        // All was the same before and after, so in between it stood as it was read.
        if (texts !== undefined && sameListing(listing, await listFolder(root, signal))) {
          known = { listing, texts, files: filesOf(root, listing, texts, strict) }
          return known.files
        }
        await setTimeout(Math.min(attempt, 10), undefined, { ...(signal && { signal }) })
      }
      throw new HydraConfigError(
        'SOURCE_READ',
        `${root} changed each of the ${maxAttempts} times that it was read: let it come to rest`,
      )
    },
    watch: (signal) => watchDir(root, signal),
  }
}

/** What was read last. */
interface Snapshot {
  readonly listing: FolderListing
  readonly texts: ReadonlyMap<string, KnownText>
  readonly files: ReadonlyMap<string, string>
}

/** A text, or why there is none, and the state of the file that had it. */
interface KnownText {
  readonly state: string
  readonly text: string | HydraConfigError
}

/** Undefined where a file is being written, or went away. */
async function readAll(
  { files }: FolderListing,
  known: ReadonlyMap<string, KnownText>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, KnownText> | undefined> {
  const texts = new Map<string, KnownText>()
  const recent: (() => boolean)[] = []
  for (const [path, { location, state, isRecent, isEmptied }] of files) {
    if (isEmptied) return undefined
    const before = known.get(path)
    if (before?.state === state && !isRecent) {
      texts.set(path, before)
      continue
    }
    const text = readConfigText(location)
    if (text === undefined) return undefined
    if (isRecent && typeof text === 'string') recent.push(() => readConfigText(location) === text)
    texts.set(path, { state: isRecent ? '' : state, text })
    await turn(texts.size, signal)
  }
  // A file written twice within one tick of the file system's clock shows the same state: the text must tell.
  return recent.every((isSame) => isSame()) ? texts : undefined
}

function filesOf(
  root: string,
  { files, folders, unreadable }: FolderListing,
  texts: ReadonlyMap<string, KnownText>,
  strict: boolean,
): ReadonlyMap<string, string> {
  const made = new RefusableFiles()
  for (const folder of folders) made.set(folder, '')
  for (const [folder, error] of unreadable) made.refuseFolder(folder, error)
  for (const [path, { text }] of texts) {
    if (typeof text === 'string') made.set(path, text)
    else made.refuse(path, text)
  }
  if (strict) refuseStrictly(root, files, made)
  return made
}

function refuseStrictly(root: string, files: FolderListing['files'], made: RefusableFiles): void {
  const byLowerCase = Map.groupBy(files.keys(), (path) => path.toLowerCase())
  for (const [path, { outside }] of files) {
    const alike = byLowerCase.get(path.toLowerCase())?.filter((other) => other !== path) ?? []
    const reason =
      outside === undefined
        ? alike.length === 0
          ? undefined
          : `differs from ${alike.join(', ')} in case alone, which not every file system tells apart: rename one`
        : `is a symbolic link to ${outside}, outside of ${root}: copy the file or take the directory as a source`
    if (reason !== undefined) made.refuse(path, new HydraConfigError('SOURCE_READ', `${path} ${reason}`))
  }
}

function rootOf(path: string | URL): string {
  if (path instanceof URL ? path.protocol === 'file:' : isPath(path)) {
    return path instanceof URL ? fileURLToPath(path) : resolve(path)
  }
  throw new HydraConfigError(
    'INVALID_OPTION',
    `path must be that of a directory, or a file: URL, not ${typeof path === 'string' ? JSON.stringify(path) : String(path)}`,
  )
}

function isPath(path: unknown): boolean {
  return typeof path === 'string' && path !== '' && !path.includes('\0')
}

function strictOf({ semantics = 'hydra-1.3' }: DirOptions): boolean {
  if (semantics === 'strict' || semantics === 'hydra-1.3') return semantics === 'strict'
  throw new HydraConfigError(
    'INVALID_OPTION',
    `semantics must be 'hydra-1.3' or 'strict', not ${JSON.stringify(semantics)}`,
  )
}
