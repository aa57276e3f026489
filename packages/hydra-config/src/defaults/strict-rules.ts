import { refuse } from '../compose/refuse.ts'
import { HydraConfigError } from '../errors.ts'
import { type ListEditing, listEditing } from '../merge/list-edit.ts'
import type { Override } from '../override/override.ts'
import { suggestion } from '../suggest.ts'
import type { Branch } from './branch.ts'
import { configPath, type DefaultItem, defaultPackage, finalPackage, groupPath } from './default-item.ts'
import { ancestors, type DefaultsNode, walk } from './defaults-tree.ts'
import { readable, refuseLegacy } from './interpolated-item.ts'
import type { LoadedConfig } from './loaded-config.ts'
import type { Scope } from './open-config.ts'
import { ensureInside, normalizedOption } from './strict-paths.ts'

/** What strict semantics, those of Hydra 1.4 and of this package, do otherwise or besides. */
export interface StrictRules {
  /** @throws {HydraConfigError} `COMPOSITION` for a path that could lead out of the source */
  ensureInside(item: DefaultItem, from: string): void
  /** Expands what waits for its interpolation, in the order of the trees, as often as one can be resolved. */
  expandDeferred(forest: readonly DefaultsNode[], expansion: Deferral): void
  /** `; did you mean 'db'?` where one of `candidates` is like `name`, else nothing. */
  suggestion(name: string, candidates: Iterable<string>): string
  /** The package of an item, with `_group_` replaced. */
  packageOf(item: DefaultItem): string | undefined
  /** Whether an override deletes a config that is of no group; `isThere` tells whether there is one. */
  deletesConfig(override: Override, isThere: (path: string) => boolean): boolean
  readonly lists: ListEditing
}

/** An expansion that has items with interpolations left. */
interface Deferral {
  readonly deferred: Map<DefaultItem, Scope>
  readonly known: ReadonlyMap<string, string | null>
  readonly branch: Branch
  load(path: string): LoadedConfig | undefined
  expand(root: DefaultsNode, scope: Scope): void
}

export const strictRules: StrictRules = {
  ensureInside,
  expandDeferred,
  suggestion,
  packageOf,
  deletesConfig,
  lists: listEditing,
}

function expandDeferred(
  forest: readonly DefaultsNode[],
  { deferred, known, branch, load, expand }: Deferral,
): void {
  while (deferred.size > 0) {
    const waiting = [...walk(forest)].filter(({ item }) => deferred.has(item))
    const next = waiting.find(({ item }) => tryResolveItem(item, known))
    const scope = next && deferred.get(next.item)
    if (next?.parent === undefined || scope === undefined) {
      for (const { item } of waiting) refuseUnresolved(item, known)
      return
    }
    const { item, parent } = next
    deferred.delete(item)
    ensureInside(item, configPath(parent.item))
    let above = 0
    for (const { item: outer } of ancestors(next)) {
      const config = load(configPath(outer))
      if (config === undefined) continue
      above += 1
      branch.enter({
        config,
        group: groupPath(outer),
        package: finalPackage(outer),
        interpolated: scope.interpolated,
        // Nobody knows any more how many there were.
        decided: Number.NaN,
        registered: Number.NaN,
        reach: Number.POSITIVE_INFINITY,
      })
    }
    expand(next, scope)
    for (; above > 0; above--) branch.leave()
  }
}

function deletesConfig({ key, text, type, value }: Override, isThere: (path: string) => boolean): boolean {
  if (type !== 'DEL' || key === '' || !isThere(key)) return false
  if (value !== null) refuse(`a deletion of a config takes no value: '${text}'`, 'ValueError')
  return true
}

// As Hydra 1.4 knows it: anywhere, and of any number.
const legacy = /\$\{defaults\.\d+\./

/**
 * Gives the item the option that its interpolation names: `${group}` alone, of any choice that is known; whether it is.
 * @throws {HydraConfigError} `COMPOSITION` for the form before Hydra 1.1
 */
function tryResolveItem(item: DefaultItem, known: ReadonlyMap<string, string | null>): boolean {
  const text = item.kind === 'config' ? item.path : String(item.value)
  if (item.kind === 'group' && legacy.test(text)) refuseLegacy(item, text)
  const resolved = text.replace(/\$\{([^{}]*)\}/g, (whole, key: string) => known.get(key.trim()) ?? whole)
  if (resolved.includes('${')) return false
  if (item.kind === 'config') {
    item.path = resolved
    return true
  }
  const { group, value } = normalizedOption(item.group, resolved)
  item.group = group
  item.value = value
  return true
}

/** @throws {HydraConfigError} `COMPOSITION`, always */
function refuseUnresolved(item: DefaultItem, known: ReadonlyMap<string, string | null>): never {
  const text = item.kind === 'config' ? item.path : String(item.value)
  throw new HydraConfigError('COMPOSITION', `Error resolving interpolation '${text}'${readable(known)}`, {
    class: 'ConfigCompositionException',
  })
}

/** As in Hydra 1.4, where `_group_` means the group at the beginning of a package alone. */
function packageOf(item: DefaultItem): string | undefined {
  if (item.package?.startsWith('_group_') !== true) return item.package
  const [first, ...others] = item.package.split('.')
  if (first !== '_group_') return item.package
  return ['_global_', ...defaultPackage(item).split('.'), ...others].filter((step) => step !== '').join('.')
}
