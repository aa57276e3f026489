import { Resolution, type ResolveOptions } from '../interpolation/resolve.ts'
import { withWholeResolution } from '../interpolation/whole.ts'
import { Place, placePath } from '../value/place.ts'
import type { Value } from '../value/value.ts'

/**
 * The paths of all missing values (`???`), as `OmegaConf.missing_keys` has them; of what interpolations lead to as well.
 * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
 */
export function missingKeys(config: Value, options: ResolveOptions = {}): ReadonlySet<string> {
  const resolution = new Resolution(withWholeResolution(options))
  const missing = new Set<string>()
  const seen = new Set<Place>()
  const gather = (place: Place): void => {
    seen.add(place)
    for (const child of childrenOf(place)) {
      if (child.value.kind === 'scalar' && child.value.value === '???') missing.add(placePath(child))
      else {
        const target = resolution.dereference(child)
        if (target.isContainer && !seen.has(target)) gather(target)
      }
    }
  }
  gather(new Place(config))
  return missing
}

function childrenOf(place: Place): readonly Place[] {
  const { value } = place
  if (value.kind === 'scalar') return []
  const keys = value.kind === 'map' ? [...value.entries.keys()] : value.items.map((_, index) => BigInt(index))
  return keys.flatMap((key) => place.child(key) ?? [])
}
