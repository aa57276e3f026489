import type { Dict, DictKey, Element } from './override.ts'

/** A dict as Python makes it: of equal keys the first stays with the value of the last. */
export function dictOf(pairs: readonly (readonly [DictKey, Element])[]): Dict {
  return { kind: 'dict', pairs: keptPairs(pairs) }
}

/** The pairs that a dict keeps of `pairs`, whatever stands for their values. */
export function keptPairs<T>(pairs: readonly (readonly [DictKey, T])[]): readonly (readonly [DictKey, T])[] {
  const places = new Map<DictKey, number>()
  const kept: (readonly [DictKey, T])[] = []
  for (const [key, value] of pairs) {
    const identity = identityOf(key)
    const place = places.get(identity)
    const first = place === undefined ? undefined : kept[place]
    // Each nan is a key of its own.
    if (place === undefined || first === undefined || Number.isNaN(key)) {
      places.set(identity, kept.length)
      kept.push([key, value])
    } else {
      kept[place] = [first[0], value]
    }
  }
  return kept
}

/** 1, 1.0 and True are one key in Python. */
function identityOf(key: DictKey): DictKey {
  if (typeof key === 'boolean') return key ? 1n : 0n
  return typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : key
}
