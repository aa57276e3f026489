import type { MapKey, Value } from './value.ts'

const chunkSize = 128
const fewest = 64

/**
 * A copy whose changes take the same time however many entries there are: few are copied one by one, many are shared.
 */
export function sharedCopyOf(entries: ReadonlyMap<MapKey, Value>): Map<MapKey, Value> {
  if (entries instanceof SharedEntries) return entries.copy()
  return entries.size < fewest ? new Map(entries) : new SharedEntries(entries)
}

/** The keys in the order of their places. Copies share it, and each looks at its own first places only. */
interface Places {
  readonly keys: MapKey[]
  readonly last: Map<MapKey, number>
  /** For a key that was taken away and came again, where it was before. */
  readonly before: Map<number, number>
}

/** Entries of which copies share all that is not changed: the keys, and the values in chunks. */
class SharedEntries extends Map<MapKey, Value> {
  #places: Places = { keys: [], last: new Map(), before: new Map() }
  /** Values by place; undefined where an entry was taken away. */
  #chunks: readonly (readonly (Value | undefined)[])[] = []
  #length = 0
  #size = 0

  constructor(entries: Iterable<readonly [MapKey, Value]>) {
    super()
    const values: Value[] = []
    for (const [key, value] of entries) {
      this.#places.last.set(key, values.length)
      this.#places.keys.push(key)
      values.push(value)
    }
    this.#length = values.length
    this.#size = values.length
    this.#chunks = Array.from({ length: Math.ceil(values.length / chunkSize) }, (_, at) =>
      values.slice(at * chunkSize, (at + 1) * chunkSize),
    )
  }

  copy(): SharedEntries {
    const copied = new SharedEntries([])
    copied.#places = this.#places
    copied.#chunks = this.#chunks
    copied.#length = this.#length
    copied.#size = this.#size
    return copied
  }

  override get size(): number {
    return this.#size
  }

  override get(key: MapKey): Value | undefined {
    const place = this.#placeOf(key)
    return place === undefined ? undefined : this.#valueAt(place)
  }

  override has(key: MapKey): boolean {
    return this.get(key) !== undefined
  }

  override set(key: MapKey, value: Value): this {
    const place = this.#placeOf(key)
    if (place !== undefined && this.#valueAt(place) !== undefined) this.#put(place, value)
    else this.#append(key, value)
    return this
  }

  override delete(key: MapKey): boolean {
    const place = this.#placeOf(key)
    if (place === undefined || this.#valueAt(place) === undefined) return false
    this.#put(place, undefined)
    this.#size--
    return true
  }

  override clear(): void {
    this.#take(new SharedEntries([]))
  }

  override *entries(): MapIterator<[MapKey, Value]> {
    for (let place = 0; place < this.#length; place++) {
      const value = this.#valueAt(place)
      const key = this.#places.keys[place]
      if (value !== undefined && key !== undefined) yield [key, value]
    }
  }

  override *keys(): MapIterator<MapKey> {
    for (const [key] of this.entries()) yield key
  }

  override *values(): MapIterator<Value> {
    for (const [, value] of this.entries()) yield value
  }

  override [Symbol.iterator](): MapIterator<[MapKey, Value]> {
    return this.entries()
  }

  override forEach(each: (value: Value, key: MapKey, map: Map<MapKey, Value>) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this)
  }

  #placeOf(key: MapKey): number | undefined {
    const { last, before } = this.#places
    let place = last.get(key)
    while (place !== undefined && place >= this.#length) place = before.get(place)
    return place
  }

  #valueAt(place: number): Value | undefined {
    return this.#chunks[Math.floor(place / chunkSize)]?.[place % chunkSize]
  }

  #put(place: number, value: Value | undefined): void {
    const at = Math.floor(place / chunkSize)
    const chunk = this.#chunks[at] ?? []
    const changed =
      place % chunkSize === chunk.length ? [...chunk, value] : chunk.with(place % chunkSize, value)
    this.#chunks = at === this.#chunks.length ? [...this.#chunks, changed] : this.#chunks.with(at, changed)
  }

  #append(key: MapKey, value: Value): void {
    // Another copy has entries of its own behind these.
    if (this.#places.keys.length > this.#length) this.#take(new SharedEntries(this))
    const { keys, last, before } = this.#places
    const place = this.#length
    const earlier = last.get(key)
    if (earlier !== undefined) before.set(place, earlier)
    last.set(key, place)
    keys.push(key)
    this.#put(place, value)
    this.#length++
    this.#size++
  }

  #take(other: SharedEntries): void {
    this.#places = other.#places
    this.#chunks = other.#chunks
    this.#length = other.#length
    this.#size = other.#size
  }
}
