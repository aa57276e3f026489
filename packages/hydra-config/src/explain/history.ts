import { emptyRoot, type Layer } from '../compose/layer.ts'
import { plainView } from '../value/plain.ts'
import { redact } from '../value/secret.ts'
import type { Origin, Value } from '../value/value.ts'
import { valueAt } from '../value/value-path.ts'
import type { HistoryStep } from './provenance.ts'

/** Replays the layers of a composition: what each of them did at one path. */
export class History {
  readonly #layers: readonly Layer[]
  /** The configuration before each layer, and after the last one. */
  #roots: readonly Value[] | undefined

  constructor(layers: readonly Layer[]) {
    this.#layers = layers
  }

  /** Every step at the path, in the order of composition. */
  at(keys: readonly string[]): readonly HistoryStep[] {
    const roots = this.#replayed()
    const steps: HistoryStep[] = []
    let before: Value | undefined
    for (const [index, layer] of this.#layers.entries()) {
      const root = roots[index + 1]
      if (root === undefined || (keys.length === 0 && isOfHydra(layer))) continue
      const after = valueAt(root, keys)
      const step = stepOf({ layer, keys, before, after, root })
      if (step !== undefined) steps.push({ ...step, via: layer.trail() })
      before = after
    }
    return steps
  }

  #replayed(): readonly Value[] {
    if (this.#roots === undefined) {
      let root: Value = emptyRoot
      const roots: Value[] = [root]
      for (const layer of this.#layers) {
        root = layer.apply(root).root
        roots.push(root)
      }
      this.#roots = roots
    }
    return this.#roots
  }
}

interface Passage {
  readonly layer: Layer
  readonly keys: readonly string[]
  readonly before: Value | undefined
  readonly after: Value | undefined
  /** The whole configuration after the layer. */
  readonly root: Value
}

function stepOf({ layer, keys, before, after, root }: Passage): Omit<HistoryStep, 'via'> | undefined {
  if (after === undefined) {
    if (before === undefined) return undefined
    return { op: 'delete', origin: removalOrigin(layer, keys, root), value: undefined }
  }
  const brought = layer.brings && valueAt(layer.brings, keys)
  // Merged values stay the same object; a container is made anew when anything in it changes.
  const own = brought === after
  if (before === after && !own) return undefined
  const { kind } = after
  if (kind !== 'scalar' && before?.kind === kind && brought === undefined) return undefined
  const merged = !own && kind !== 'scalar' && before?.kind === kind
  const written = own || merged ? (brought ?? after) : after
  return {
    op: before === undefined ? 'set' : merged ? 'merge' : 'replace',
    origin: written.origin ?? layer.origin,
    value: plainView(redact(written)),
  }
}

/** A deletion, or what took the place of something above the path. */
function removalOrigin(layer: Layer, keys: readonly string[], root: Value): Origin {
  if (layer.brings === undefined) return layer.origin
  for (let length = keys.length - 1; length > 0; length--) {
    const above = valueAt(layer.brings, keys.slice(0, length)) ?? valueAt(root, keys.slice(0, length))
    if (above !== undefined) return above.origin ?? layer.origin
  }
  return layer.origin
}

/** Hydra's own configs are no part of what the user composes, though they are merged with it. */
function isOfHydra({ brings }: Layer): boolean {
  return brings?.kind === 'map' && brings.entries.keys().every((key) => key === 'hydra')
}
