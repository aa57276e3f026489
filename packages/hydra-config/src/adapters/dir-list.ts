import { type BigIntStats, type Dirent, readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { throwIfAborted } from '../aborted.ts'
import { HydraConfigError } from '../errors.ts'
import { turn } from './dir-turn.ts'
import { systemReason } from './system-error.ts'

/** A config of a directory, before it is read. */
interface FolderFile {
  readonly location: string
  /** Equal as long as nobody wrote to the file, within the step of the file system's clock. */
  readonly state: string
  /** Whether it was written so shortly ago that another write might show the same state. */
  readonly isRecent: boolean
  /** Whether it became empty so shortly ago that its text may be on the way. */
  readonly isEmptied: boolean
  /** Where symbolic links lead to, where that is outside of the directory. */
  readonly outside: string | undefined
}

export interface FolderListing {
  /** By path from the root, with `/`. */
  readonly files: ReadonlyMap<string, FolderFile>
  /** Folders without configs, with `/` at the end. */
  readonly folders: ReadonlySet<string>
  readonly unreadable: ReadonlyMap<string, HydraConfigError>
  /** All that was looked at: the folders, what is in them, and where links lead. */
  readonly looks: readonly Look[]
  /** Whether all of it was older than a step of the clock: what looks the same later has not changed in between. */
  readonly isSettled: boolean
  /** Locations of all folders whose changes may change the listing or a text. */
  readonly watched: ReadonlySet<string>
}

/** How something looked: a folder the same as long as nothing came, went or got another name in it. */
interface Look {
  readonly location: string
  /** Undefined for a link to nowhere. */
  readonly stat: BigIntStats | undefined
}

const maxConfigs = 10_000
const maxEntries = 200_000
/** Above the step of the clock of every common file system but FAT, in milliseconds. */
const clockStepMs = 20
/** In how many milliseconds whoever empties a file to write to it will have written. */
const writeMs = 100

/** @throws {HydraConfigError} `SOURCE_NOT_FOUND`, `SOURCE_READ` */
export async function listFolder(root: string, signal: AbortSignal | undefined): Promise<FolderListing> {
  throwIfAborted(signal)
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

/**
 * Whether nothing has changed since it was listed; a folder that is as it was is not listed again. Each state that was
 * seen then still held when this looked at it, hence at the moment when it began to look.
 */
export async function isUnchanged(
  { isSettled, looks }: FolderListing,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  throwIfAborted(signal)
  if (!isSettled) return false
  let done = 0
  for (const { location, stat } of looks) {
    if (!isSame(stat, statOf(location))) return false
    done += 1
    if (done % 256 === 0) await turn(done, signal)
  }
  return true
}

function isSame(before: BigIntStats | undefined, now: BigIntStats | undefined): boolean {
  if (before === undefined || now === undefined) return before === now
  return (
    before.ctimeNs === now.ctimeNs &&
    before.mtimeNs === now.mtimeNs &&
    before.size === now.size &&
    before.ino === now.ino &&
    before.dev === now.dev
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
  /** How locations inside of the directory begin; undefined until a link is met. */
  #inside: string | undefined
  readonly #now = BigInt(Date.now())
  readonly #files = new Map<string, FolderFile>()
  readonly #folders = new Set<string>()
  readonly #unreadable = new Map<string, HydraConfigError>()
  readonly #looks: Look[] = []
  #isSettled = true
  readonly #watched = new Set<string>()
  readonly #ahead: Folder[]
  #entries = 0

  constructor(root: string) {
    this.#root = root
    const stat = rootStat(root)
    this.#note(root, stat)
    this.#ahead = [{ location: root, path: '', chain: new Set([identity(stat)]), linked: false }]
  }

  next(): Folder | undefined {
    return this.#ahead.pop()
  }

  enter(folder: Folder): void {
    if (folder.path !== '') this.#folders.add(folder.path)
    this.#watched.add(folder.location)
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
    return {
      files: this.#files,
      folders: withoutConfigs,
      looks: this.#looks,
      isSettled: this.#isSettled && this.#unreadable.size === 0,
      unreadable: this.#unreadable,
      watched: this.#watched,
    }
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
    this.#note(location, stat)
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
    const real = linked ? realpathOf(location) : undefined
    if (real !== undefined) this.#watched.add(dirname(real))
    const age = this.#now - stat.ctimeMs
    this.#files.set(folder.path + entry.name, {
      location,
      state: stateOf(stat),
      isRecent: age < clockStepMs,
      isEmptied: stat.size === 0n && age < writeMs,
      outside: real === undefined || this.#isInside(real) ? undefined : real,
    })
  }

  #note(location: string, stat: BigIntStats | undefined): void {
    this.#looks.push({ location, stat })
    if (stat !== undefined && this.#now - stat.ctimeMs < clockStepMs) this.#isSettled = false
  }

  #isInside(real: string): boolean {
    if (this.#inside === undefined) {
      const root = realpathSync.native(this.#root)
      this.#inside = root.endsWith(sep) ? root : root + sep
    }
    return real.startsWith(this.#inside)
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

function realpathOf(location: string): string | undefined {
  try {
    return realpathSync.native(location)
  } catch {
    return undefined
  }
}

function stateOf(stat: BigIntStats): string {
  return `${identity(stat)}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`
}

function identity({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

function isHidden(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules' || name === '__pycache__'
}
