import type { MapKey, Value } from '../value/value.ts'

/** What is made of a value when it is asked for, at its key. */
type Thaw<Draft> = (key: MapKey, value: Value) => Draft

/** The drafts of the entries of a map: those that nobody asked for stay values. */
export class EntryDrafts<Draft> extends Map<MapKey, Draft> {
  readonly from: ReadonlyMap<MapKey, Value>
  /** Keys of `from` that were taken away; one that came again stands at the end. */
  readonly gone: Set<MapKey> = new Set()
  readonly #thaw: Thaw<Draft>

  constructor(from: ReadonlyMap<MapKey, Value>, thaw: Thaw<Draft>) {
    super()
    this.from = from
    this.#thaw = thaw
  }

  /** Those that were asked for or put. */
  changes(): MapIterator<[MapKey, Draft]> {
    return super.entries()
  }

  override get size(): number {
    let added = 0
    for (const key of super.keys()) if (!this.#isValue(key)) added++
    return this.from.size - this.gone.size + added
  }

  override get(key: MapKey): Draft | undefined {
    const known = super.get(key)
    if (known !== undefined || !this.#isValue(key)) return known
    const value = this.from.get(key)
    if (value === undefined) return undefined
    const draft = this.#thaw(key, value)
    super.set(key, draft)
    return draft
  }

  override has(key: MapKey): boolean {
    return super.has(key) || this.#isValue(key)
  }

  override delete(key: MapKey): boolean {
    const isThere = this.has(key)
    super.delete(key)
    if (this.from.has(key)) this.gone.add(key)
    return isThere
  }

  override clear(): void {
    for (const key of this.from.keys()) this.gone.add(key)
    super.clear()
  }

  override *keys(): MapIterator<MapKey> {
    for (const key of this.from.keys()) if (!this.gone.has(key)) yield key
    for (const key of super.keys()) if (!this.#isValue(key)) yield key
  }

  override *entries(): MapIterator<[MapKey, Draft]> {
    for (const key of this.keys()) {
      const draft = this.get(key)
      if (draft !== undefined) yield [key, draft]
    }
  }

  override *values(): MapIterator<Draft> {
    for (const [, draft] of this.entries()) yield draft
  }

  override [Symbol.iterator](): MapIterator<[MapKey, Draft]> {
    return this.entries()
  }

  override forEach(each: (draft: Draft, key: MapKey, map: Map<MapKey, Draft>) => void): void {
    for (const [key, draft] of this.entries()) each(draft, key, this)
  }

  #isValue(key: MapKey): boolean {
    return this.from.has(key) && !this.gone.has(key)
  }
}

/** The drafts of the items of a list: those that nobody asked for stay values. */
export class ItemDrafts<Draft> {
  readonly from: readonly Value[]
  /** Those that were asked for or put, by index. */
  readonly changes: Map<number, Draft> = new Map()
  readonly #thaw: Thaw<Draft> | undefined
  #length: number

  constructor(from: readonly Value[] = [], thaw?: Thaw<Draft>) {
    this.from = from
    this.#thaw = thaw
    this.#length = from.length
  }

  get length(): number {
    return this.#length
  }

  get(index: number): Draft | undefined {
    const known = this.changes.get(index)
    const value = this.from[index]
    if (known !== undefined || value === undefined) return known
    const draft = this.#thaw?.(BigInt(index), value)
    if (draft !== undefined) this.changes.set(index, draft)
    return draft
  }

  set(index: number, draft: Draft): void {
    this.changes.set(index, draft)
    this.#length = Math.max(this.#length, index + 1)
  }

  *[Symbol.iterator](): Generator<Draft> {
    for (let index = 0; index < this.#length; index++) {
      const draft = this.get(index)
      if (draft !== undefined) yield draft
    }
  }
}
