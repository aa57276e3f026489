import type { Environment } from '../interpolation/resolver.ts'
import type { WallClock } from '../ports.ts'
import type { ConfigSource } from '../source/source.ts'

/** What a command line takes from the machine that it runs on. */
export interface Platform {
  readonly clock: WallClock
  readonly environment: Environment
  /** Such as `22.13.0`. */
  readonly nodeVersion: string
  /** Width of the terminal, in characters. */
  readonly columns: number
  /** The current directory, absolute. */
  cwd(): string
  /** The path from the current directory, absolute. */
  resolve(path: string): string
  out(text: string): void
  err(text: string): void
  /** Opens an entry of a search path: `file:///srv/conf`, `pkg://app/conf`, or the path of a directory. */
  open(path: string): ConfigSource
  readonly files: PlatformFiles
  /** Makes `path` the current directory; returns how to go back. */
  changeDirectory(path: string): () => void
  /** Sets environment variables; returns how to set them as they were. */
  setEnvironment(variables: ReadonlyMap<string, string>): () => void
}

/** The files that a run writes, and that the completion of a path lists. Paths are absolute. */
export interface PlatformFiles {
  makeFolder(path: string): void
  /** Writes files into a folder so that at every moment either all of them are there or none. */
  writeFolder(path: string, files: ReadonlyMap<string, string>): void
  writeFile(path: string, text: string): void
  /** Opens a file to write at its end, emptied before where `truncate`. */
  openLog(path: string, truncate: boolean): LogFile
  read(path: string): string | undefined
  isFolder(path: string): boolean
  /** Names of what is in a folder; none for what is no folder. */
  list(path: string): readonly string[]
}

export interface LogFile {
  write(text: string): void
  close(): void
}
