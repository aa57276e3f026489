import { emptyRoot, type Layer } from '../compose/layer.ts'
import { OwnCopies } from '../value/own-copies.ts'
import { plainView } from '../value/plain.ts'
import { redact } from '../value/secret.ts'
import type { Origin, Value } from '../value/value.ts'
import { childAt, valueAt } from '../value/value-path.ts'
import type { HistoryStep } from './provenance.ts'

/** How many configurations are kept, however many layers there are. */
const keptMax = 64

/** Layers that follow each other, with the configuration before the first and after the last of them. */
interface Span {
  readonly layers: readonly Layer[]
  readonly before: Value
  readonly after: Value
}

/** Replays the layers of a composition: what each of them did at one path. */
export class History {
  readonly #layers: readonly Layer[]
  readonly #kept: number
  #spans: readonly Span[] | undefined

  constructor(layers: readonly Layer[], kept: number = keptMax) {
    this.#layers = layers
    this.#kept = kept
  }

  /** Every step at the path, in the order of composition. */
  at(keys: readonly string[]): readonly HistoryStep[] {
    this.#spans ??= spansOf(this.#layers, this.#kept)
    const steps: HistoryStep[] = []
    let before: Value | undefined
    for (const span of this.#spans) {
      if (isUntouched(span, keys)) continue
      // What another replay made is equal, and not the same.
      if (keys.length > 0) before = valueAt(span.before, keys)
      for (const [layer, root] of replayed(span)) {
        if (keys.length === 0 && isOfHydra(layer)) continue
        const after = valueAt(root, keys)
        const step = stepOf({ layer, keys, before, after, root })
        if (step !== undefined) steps.push({ ...step, via: layer.trail() })
        before = after
      }
    }
    return steps
  }
}

function spansOf(layers: readonly Layer[], kept: number): readonly Span[] {
  const length = Math.ceil(layers.length / kept)
  const spans: Span[] = []
  let before: Value = emptyRoot
  for (let from = 0; from < layers.length; from += length) {
    const some = layers.slice(from, from + length)
    let after: Value = before
    for (const [, root] of applied(some, before)) after = root
    spans.push({ layers: some, before, after })
    before = after
  }
  return spans
}

function replayed({ layers, before, after }: Span): Iterable<readonly [Layer, Value]> {
  const [first, ...others] = layers
  return first === undefined || others.length > 0 ? applied(layers, before) : [[first, after]]
}

/** Each layer with the configuration after it, to be looked at before the next one changes it. */
function* applied(layers: readonly Layer[], before: Value): Generator<readonly [Layer, Value]> {
  const copies = layers.length > 1 ? new OwnCopies() : undefined
  let root = before
  for (const layer of layers) {
    root = layer.apply(root, copies).root
    yield [layer, root]
  }
}

/** Whether what stands at the path is the same before, between and after all layers. */
function isUntouched({ layers, before, after }: Span, keys: readonly string[]): boolean {
  const value = valueAt(before, keys)
  if (value === undefined || valueAt(after, keys) !== value) return false
  return layers.every(({ brings }) => brings !== undefined && passesBy(brings, keys))
}

/** Whether it leads past the path by maps alone; all else may take away what is there, for another layer to bring back. */
function passesBy(brings: Value, keys: readonly string[]): boolean {
  let at: Value | undefined = brings
  for (const key of keys) {
    if (at.kind !== 'map') return false
    at = childAt(at, key)
    if (at === undefined) return true
  }
  return false
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
