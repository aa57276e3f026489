import { type FSWatcher, watch } from 'node:fs'
import { basename, join, sep } from 'node:path'
import { HydraConfigError } from '../errors.ts'
import { Notices } from '../source/notices.ts'
import { listFolder } from './dir-list.ts'
import { systemReason } from './system-error.ts'

/**
 * Tells of changes below a directory: one watcher of the system for each folder that configs come from, those that
 * symbolic links lead to included.
 *
 * Not the recursive watch of Node: on Linux it is made of the same watchers and follows no links. Not chokidar: it
 * keeps a model of all files to name each change, while here a change only starts a new snapshot.
 */
export async function* watchDir(root: string, signal: AbortSignal): AsyncGenerator<void> {
  const notices = new Notices()
  const watchers = new FolderWatchers(notices)
  try {
    notices.tell()
    for await (const _ of notices.until(signal)) {
      // A folder that came while its parent had no watcher yet is found by looking once more.
      while (watchers.match((await listFolder(root, signal)).watched)) signal.throwIfAborted()
      yield
    }
  } finally {
    watchers.match(new Set())
  }
}

class FolderWatchers {
  readonly #notices: Notices
  readonly #watchers = new Map<string, FSWatcher>()

  constructor(notices: Notices) {
    this.#notices = notices
  }

  /** Watches these folders and no others; whether one is new. */
  match(folders: ReadonlySet<string>): boolean {
    for (const folder of this.#watchers.keys()) if (!folders.has(folder)) this.#close(folder)
    const added = folders.difference(this.#watchers)
    for (const folder of added) this.#open(folder)
    return added.size > 0
  }

  #open(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false })
      this.#watchers.set(folder, watcher)
      watcher.on('error', () => this.#forget(folder))
      watcher.on('change', (event, name) => {
        // A new folder may be at the place, or in the inode, of one that was watched.
        if (event === 'rename') this.#forget(name === basename(folder) ? folder : join(folder, String(name)))
        if (event === 'rename' || String(name).endsWith('.yaml')) this.#notices.tell()
      })
    } catch (cause) {
      const { code, text } = systemReason(cause)
      if (code === 'ENOENT') this.#notices.tell()
      else
        this.#notices.fail(
          new HydraConfigError('SOURCE_READ', `${folder} cannot be watched: ${text}`, { cause }),
        )
    }
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
