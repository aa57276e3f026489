import { type BigIntStats, type Dirent, readdirSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { HydraConfigError } from '../errors.ts'
import { turn } from './dir-turn.ts'
import { systemReason } from './system-error.ts'

/** A config of a directory, before it is read. */
export interface FolderFile {
  readonly location: string
  /** Equal as long as nobody wrote to the file, within the resolution of the file system's clock. */
  readonly state: string
  /** Whether it was written so shortly ago that another write might show the same state. */
  readonly isRecent: boolean
  /** Where symbolic links lead to, where that is outside of the directory. */
  readonly outside: string | undefined
}

export interface FolderListing {
  /** By path from the root, with `/`. */
  readonly files: ReadonlyMap<string, FolderFile>
  /** Folders without configs, with `/` at the end. */
  readonly folders: ReadonlySet<string>
  readonly unreadable: ReadonlyMap<string, HydraConfigError>
}

const maxConfigs = 10_000
const maxEntries = 200_000
/** Above the step of the clock of every common file system but FAT, in milliseconds. */
const clockStepMs = 20

/** @throws {HydraConfigError} `SOURCE_NOT_FOUND`, `SOURCE_READ` */
export async function listFolder(root: string, signal: AbortSignal | undefined): Promise<FolderListing> {
  signal?.throwIfAborted()
  const walk = new Walk(root)
  let folder = walk.next()
  for (let done = 1; folder !== undefined; done += 1) {
    walk.enter(folder)
    await turn(done, signal)
    folder = walk.next()
  }
  return walk.listing()
}

export function sameListing(one: FolderListing, other: FolderListing): boolean {
  return (
    one.files.size === other.files.size &&
    one.folders.size === other.folders.size &&
    one.unreadable.size === other.unreadable.size &&
    one.files.entries().every(([path, { state }]) => other.files.get(path)?.state === state) &&
    one.folders.isSubsetOf(other.folders) &&
    one.unreadable.keys().every((path) => other.unreadable.has(path))
  )
}

interface Folder {
  readonly location: string
  /** From the root, `''` or with `/` at the end. */
  readonly path: string
  /** Itself and the folders around it: a link to one of these leads round and round. */
  readonly chain: ReadonlySet<string>
  readonly linked: boolean
}

class Walk {
  readonly #root: string
  readonly #realRoot: string
  readonly #now = BigInt(Date.now())
  readonly #files = new Map<string, FolderFile>()
  readonly #folders = new Set<string>()
  readonly #unreadable = new Map<string, HydraConfigError>()
  readonly #ahead: Folder[]
  #entries = 0

  constructor(root: string) {
    this.#root = root
    const stat = rootStat(root)
    this.#realRoot = realpathSync.native(root)
    this.#ahead = [{ location: root, path: '', chain: new Set([identity(stat)]), linked: false }]
  }

  next(): Folder | undefined {
    return this.#ahead.pop()
  }

  enter(folder: Folder): void {
    if (folder.path !== '') this.#folders.add(folder.path)
    for (const entry of this.#entriesOf(folder)) {
      this.#entries += 1
      if (this.#entries > maxEntries) this.#refuseSize(`more than ${maxEntries} files and folders`)
      if (entry.isDirectory() || entry.isSymbolicLink() || entry.name.endsWith('.yaml'))
        this.#add(folder, entry)
    }
  }

  listing(): FolderListing {
    const withoutConfigs = new Set(this.#folders)
    for (const path of [...this.#files.keys(), ...this.#folders]) {
      for (
        let end = path.lastIndexOf('/', path.length - 2);
        end !== -1;
        end = path.lastIndexOf('/', end - 1)
      ) {
        if (!withoutConfigs.delete(path.slice(0, end + 1))) break
      }
    }
    for (const path of this.#unreadable.keys()) withoutConfigs.delete(path)
    return { files: this.#files, folders: withoutConfigs, unreadable: this.#unreadable }
  }

  #entriesOf({ location, path }: Folder): Dirent[] {
    try {
      return readdirSync(location, { withFileTypes: true })
    } catch (cause) {
      const { code, text } = systemReason(cause)
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        const error = new HydraConfigError('SOURCE_READ', `${location} cannot be read: ${text}`, { cause })
        this.#unreadable.set(path, error)
      }
      return []
    }
  }

  #add(folder: Folder, entry: Dirent): void {
    const location = join(folder.location, entry.name)
    // What is gone, or is a link to nowhere, is not there.
    const stat = statOf(location)
    if (stat === undefined) return
    const linked = folder.linked || entry.isSymbolicLink()
    if (stat.isDirectory() && !isHidden(entry.name)) {
      const id = identity(stat)
      if (folder.chain.has(id)) return
      const path = `${folder.path}${entry.name}/`
      this.#ahead.push({ location, path, chain: new Set([...folder.chain, id]), linked })
    }
    if (!stat.isFile() || !entry.name.endsWith('.yaml')) return
    if (this.#files.size === maxConfigs) this.#refuseSize(`more than ${maxConfigs} configs`)
    this.#files.set(folder.path + entry.name, {
      location,
      state: `${identity(stat)}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`,
      isRecent: this.#now - stat.ctimeMs < clockStepMs,
      outside: linked ? this.#outside(location) : undefined,
    })
  }

  #outside(location: string): string | undefined {
    const real = realpathSync.native(location)
    return real.startsWith(this.#realRoot.endsWith(sep) ? this.#realRoot : this.#realRoot + sep)
      ? undefined
      : real
  }

  #refuseSize(what: string): never {
    throw new HydraConfigError(
      'SOURCE_READ',
      `${this.#root} has ${what}: give the directory of the configs alone`,
    )
  }
}

function rootStat(root: string): BigIntStats {
  try {
    const stat = statSync(root, { bigint: true })
    if (stat.isDirectory()) return stat
  } catch (cause) {
    const { code, text } = systemReason(cause)
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      throw new HydraConfigError('SOURCE_READ', `${root} cannot be read: ${text}`, { cause })
    }
  }
  throw new HydraConfigError('SOURCE_NOT_FOUND', `there is no directory ${root}`)
}

function statOf(location: string): BigIntStats | undefined {
  try {
    return statSync(location, { bigint: true })
  } catch {
    return undefined
  }
}

function identity({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

function isHidden(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules' || name === '__pycache__'
}
