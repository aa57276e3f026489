import { ParsedConfigs } from '../defaults/parsed-configs.ts'
import { Repository } from '../defaults/repository.ts'
import type { Semantics } from '../semantics.ts'
import type { Composed, Composition } from './composition.ts'

/** One for the files that are given, one for those and what `hydra.searchpath` brings, and the same while they change. */
const maxRepositories = 4
const maxCompositions = 64

/** What was composed from certain files with certain overrides; nothing of it is there the first time. */
interface Earlier {
  composed?: Composed & { readonly always: boolean }
  /** The composition itself, where nothing in it can be another the next time. */
  composition?: Composition
}

interface Known {
  readonly repository: Repository
  /** Of each source, in its order: a source that changes a map that it gave is found out. */
  readonly texts: readonly (readonly string[])[]
  /** By config and overrides, the one that was asked for last at the end. */
  readonly compositions: Map<string, Earlier>
}

/**
 * What the compositions of one `createHydra` leave to later ones: parsed configs for as long as their texts stay the
 * same, and for as long as all files do, what was composed from them. Who has the same options alone may share it.
 */
export class EarlierCompositions {
  readonly #parsed = new ParsedConfigs()
  readonly #known: Known[] = []

  /** The repository of these files, the same one for the same files. */
  repositoryOf(sources: Repository['sources'], semantics: Semantics): Repository {
    const before = this.#known.find((known) => isOf(known, sources, semantics))
    if (before !== undefined) return before.repository
    const repository = new Repository(sources, semantics, this.#parsed)
    const texts = sources.map(({ files }) => textsOf(files))
    if (this.#known.length === maxRepositories) this.#known.shift()
    this.#known.push({ repository, texts, compositions: new Map() })
    return repository
  }

  /** What was composed from the same files with the same overrides, to be read and written. */
  of(repository: Repository, config: string | undefined, overrides: readonly string[]): Earlier {
    const compositions = this.#known.find((known) => known.repository === repository)?.compositions
    if (compositions === undefined) return {}
    const key = JSON.stringify([config ?? null, ...overrides])
    const earlier = compositions.get(key) ?? {}
    // What was asked for last stands last, so that the first one goes.
    compositions.delete(key)
    compositions.set(key, earlier)
    if (compositions.size > maxCompositions) compositions.delete(compositions.keys().next().value ?? key)
    return earlier
  }
}

function isOf({ repository, texts }: Known, sources: Repository['sources'], semantics: Semantics): boolean {
  return (
    repository.semantics === semantics &&
    repository.sources.length === sources.length &&
    repository.sources.every(({ provider, path, files }, index) => {
      const other = sources[index]
      return (
        other?.files === files &&
        other.provider === provider &&
        other.path === path &&
        areThese(files, texts[index] ?? [])
      )
    })
  )
}

/** Of texts that stayed the same this compares references. */
function areThese(files: ReadonlyMap<string, string>, texts: readonly string[]): boolean {
  let at = 0
  let same = true
  // Asks for no text: one that cannot be read throws.
  files.forEach((text, path) => {
    same &&= texts[at] === path && texts[at + 1] === text
    at += 2
  })
  return same && at === texts.length
}

/** Paths and texts in turn. */
function textsOf(files: ReadonlyMap<string, string>): readonly string[] {
  return [...files].flat()
}
