import type { HydraConfigError } from '../errors.ts'

/** The files of a snapshot, some of which cannot be had: to ask for one of these throws its error. */
export class RefusableFiles extends Map<string, string> {
  readonly #refused = new Map<string, HydraConfigError>()
  readonly #refusedFolders = new Map<string, HydraConfigError>()

  refuse(path: string, error: HydraConfigError): void {
    this.set(path, '')
    this.#refused.set(path, error)
  }

  /** @param folder with `/` at its end; `''` is the root */
  refuseFolder(folder: string, error: HydraConfigError): void {
    if (folder !== '') this.set(folder, '')
    this.#refusedFolders.set(folder, error)
  }

  override get(path: string): string | undefined {
    const error = this.#refused.get(path)
    if (error !== undefined) throw error
    this.#ensureKnown(path)
    return super.get(path)
  }

  override has(path: string): boolean {
    this.#ensureKnown(path)
    return super.has(path)
  }

  #ensureKnown(path: string): void {
    for (const [folder, error] of this.#refusedFolders) {
      if (path.length > folder.length && path.startsWith(folder)) throw error
    }
  }
}
