import type { Semantics } from '../semantics.ts'
import { Choices } from './choices.ts'
import type { ConfigRepository } from './config-repository.ts'
import { configDefault } from './default-item.ts'
import { type Found, foundIn } from './defaults-tree.ts'
import { Expansion, type OwnConfigs, type OwnTree } from './expand.ts'

/** The tree where nobody chooses any of Hydra's own configs. */
interface UnchosenTree extends OwnTree {
  readonly found: readonly Found[]
  readonly known: ReadonlyMap<string, string | null>
}

/** By semantics: these configs never change, and most compositions leave them as they are. */
const unchosenTrees = new Map<Semantics, UnchosenTree>()

/** Expands the defaults list of Hydra's own configs, with what the command line and the primary config choose of them. */
export const ownConfigs: OwnConfigs = (repository, choices, expansion) => {
  const isChosen = choices.keys().some((key) => key.startsWith('hydra/'))
  const unchosen = isChosen ? undefined : unchosenTree(repository)
  for (const [key, name] of unchosen?.known ?? []) choices.known.set(key, name)
  if (unchosen !== undefined || !repository.hasOwn) return unchosen
  return { tree: expansion.tree(configDefault('hydra/config')) }
}

/** Undefined where Hydra's own configs are not the first source. */
function unchosenTree(repository: ConfigRepository): UnchosenTree | undefined {
  const { semantics, sources } = repository
  if (sources[0]?.provider !== 'hydra') return undefined
  const before = unchosenTrees.get(semantics)
  if (before !== undefined) return before
  const choices = new Choices(repository, [])
  const expansion = new Expansion(repository, choices, { skipMissing: false, warn: () => {} })
  const tree = expansion.tree(configDefault('hydra/config'))
  const own = { tree, found: foundIn(tree), known: choices.known }
  unchosenTrees.set(semantics, own)
  return own
}
