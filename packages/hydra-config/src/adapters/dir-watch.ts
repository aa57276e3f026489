import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { HydraConfigError } from '../errors.ts'
import { Notices } from '../source/notices.ts'
import { listFolder } from './dir-list.ts'
import { turn } from './dir-turn.ts'
import { systemReason } from './system-error.ts'

/**
 * Tells of changes below a directory: one watcher of the system for each folder that configs come from, those that
 * symbolic links lead to included, and one for the folder around, where another directory may take the place of this.
 *
 * Not the recursive watch of Node: on Linux it is made of the same watchers and follows no links. Not chokidar: it
 * keeps a model of all files to name each change, while here a change only starts a new snapshot.
 */
export async function* watchDir(root: string, signal: AbortSignal): AsyncGenerator<void> {
  const notices = new Notices()
  const watchers = new FolderWatchers(root, notices)
  try {
    notices.tell()
    for await (const _ of notices.until(signal)) {
      // A folder that came while its parent had no watcher yet is found by looking once more.
      while (watchers.match((await listFolder(root, signal)).watched)) await turn(0, signal)
      yield
    }
  } finally {
    watchers.close()
  }
}

class FolderWatchers {
  readonly #root: string
  readonly #notices: Notices
  readonly #watchers = new Map<string, FSWatcher>()
  #isAroundWatched = false

  constructor(root: string, notices: Notices) {
    this.#root = root
    this.#notices = notices
  }

  /**
   * Watches these folders, the one around, and no others; whether one is new.
   * @throws {HydraConfigError} `SOURCE_READ` where the system has no more watchers
   */
  match(folders: ReadonlySet<string>): boolean {
    const around = dirname(this.#root)
    this.#isAroundWatched = folders.has(around)
    const wanted = new Set([...folders, around])
    for (const folder of this.#watchers.keys()) if (!wanted.has(folder)) this.#close(folder)
    return (
      wanted
        .difference(this.#watchers)
        .keys()
        .toArray()
        .filter((folder) => this.#open(folder)).length > 0
    )
  }

  close(): void {
    for (const folder of this.#watchers.keys()) this.#close(folder)
  }

  #open(folder: string): boolean {
    try {
      const watcher = watch(folder, { persistent: false })
      this.#watchers.set(folder, watcher)
      watcher.on('error', () => this.#forget(folder))
      watcher.on('change', (event, name) => this.#onChange(folder, event, String(name)))
      return true
    } catch (cause) {
      const { code, text } = systemReason(cause)
      // Whoever reads the folder is told.
      if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM') return false
      throw new HydraConfigError('SOURCE_READ', `${folder} cannot be watched: ${text}`, { cause })
    }
  }

  #onChange(folder: string, event: string, name: string): void {
    const isAround = folder === dirname(this.#root) && !this.#isAroundWatched
    if (isAround && name !== basename(this.#root)) return
    // A new folder may be at the place, or in the inode, of one that was watched.
    if (event === 'rename') this.#forget(name === basename(folder) ? folder : join(folder, name))
    else if (name.endsWith('.yaml')) this.#notices.tell()
  }

  #forget(folder: string): void {
    for (const each of this.#watchers.keys()) {
      if (each === folder || each.startsWith(folder + sep)) this.#close(each)
    }
    this.#notices.tell()
  }

  #close(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }
}
