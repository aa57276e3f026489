/** Where the generator wrote a value. */
export type Place =
  | { readonly kind: 'file'; readonly config: string; readonly line: number; readonly column: number }
  | { readonly kind: 'override'; readonly index: number; readonly start: number; readonly end: number }

/** What the generator wrote. */
export type Truth = TruthScalar | TruthList | TruthMap

export interface TruthScalar {
  readonly kind: 'scalar'
  readonly value: unknown
  readonly place: Place
}

export interface TruthList {
  readonly kind: 'list'
  readonly items: readonly Truth[]
  readonly place: Place
}

export interface TruthMap {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, Truth>
  readonly place: Place
}

/** One thing that was done at a path. */
export interface Event {
  readonly op: 'set' | 'merge' | 'replace' | 'delete'
  readonly place: Place
  /** The configs from the primary one to the one that did it. */
  readonly via: readonly string[]
}

/** Everything that was done at each path, told while layer after layer is merged. */
export class Ledger {
  readonly events: Map<string, Event[]> = new Map()
  root: Truth | undefined
  #via: readonly string[] = []

  merge(layer: Truth, via: readonly string[]): void {
    this.#via = via
    this.root = this.#merged(this.root, layer, '')
  }

  delete(keys: readonly string[], place: Place): void {
    this.#via = []
    this.root = this.root && this.#without(this.root, keys, '', place)
  }

  #merged(old: Truth | undefined, value: Truth, path: string): Truth {
    if (old !== undefined && value.kind === 'scalar' && value.value === '???') return old
    if (old?.kind === 'map' && value.kind === 'map') {
      this.#note(path, 'merge', value.place)
      const entries = new Map(old.entries)
      for (const [key, item] of value.entries) {
        entries.set(key, this.#merged(entries.get(key), item, childPath(path, key, old)))
      }
      return { ...old, entries }
    }
    const before = new Set(old === undefined ? [] : [...nodes(old, path)].map(([at]) => at))
    for (const [at, node] of nodes(value, path)) {
      this.#note(at, before.delete(at) ? 'replace' : 'set', node.place)
    }
    for (const gone of before) this.#note(gone, 'delete', this.#nearest(value, path, gone))
    return value
  }

  /** The place of the deepest node of `value` on the way to `gone`. */
  #nearest(value: Truth, path: string, gone: string): Place {
    const above = [...nodes(value, path)].filter(([at]) => gone.startsWith(at))
    return above.reduce((best, each) => (each[0].length > best[0].length ? each : best), [
      path,
      value,
    ] as const)[1].place
  }

  #without(container: Truth, [key = '', ...rest]: readonly string[], path: string, place: Place): Truth {
    if (container.kind !== 'map') throw new Error(`${path} is no map`)
    const child = container.entries.get(key)
    if (child === undefined) throw new Error(`${path} has no ${key}`)
    const at = childPath(path, key, container)
    const entries = new Map(container.entries)
    if (rest.length > 0) entries.set(key, this.#without(child, rest, at, place))
    else {
      entries.delete(key)
      for (const [gone] of nodes(child, at)) this.#note(gone, 'delete', place)
    }
    return { ...container, entries }
  }

  #note(path: string, op: Event['op'], place: Place): void {
    const known = this.events.get(path) ?? []
    known.push({ op, place, via: this.#via })
    this.events.set(path, known)
  }
}

/** A value below keys, as a package embeds a config. */
export function embedded(keys: readonly string[], value: Truth): Truth {
  return keys.reduceRight<Truth>(
    (inner, key) => ({ kind: 'map', entries: new Map([[key, inner]]), place: inner.place }),
    value,
  )
}

/** A value and everything in it, with the paths. */
export function* nodes(value: Truth, path: string): Generator<readonly [string, Truth]> {
  yield [path, value]
  if (value.kind === 'scalar') return
  const children =
    value.kind === 'map' ? value.entries : value.items.map((item, index) => [String(index), item] as const)
  for (const [key, item] of children) yield* nodes(item, childPath(path, key, value))
}

function childPath(path: string, key: string, container: Truth): string {
  if (container.kind === 'list' || key.includes('.')) return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}

/** As `value` shows it. */
export function plain(truth: Truth): unknown {
  if (truth.kind === 'scalar') return truth.value
  if (truth.kind === 'list') return truth.items.map(plain)
  return Object.fromEntries([...truth.entries].map(([key, item]) => [key, plain(item)]))
}
