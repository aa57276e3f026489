/** How many entries the first map takes, and over how many maps all others are spread. */
const few = 4096
const spread = 256

/**
 * A map from texts that may hold millions, to values that are not undefined. Where a `Map` grows it moves all that it has at
 * once, some 50 ms at a million entries. Here they are spread over many small ones, some of which get up to twice as much as
 * others, so that they grow one after another and not together (Martin's spiral storage): no addition takes long.
 */
export class WideMap<Value extends object> {
  readonly #first = new Map<string, Value>()
  #others: Map<string, Value>[] | undefined

  get(key: string): Value | undefined {
    return this.#first.get(key) ?? this.#others?.[placeOf(key)]?.get(key)
  }

  /** Takes in a key that is not there. */
  add(key: string, value: Value): void {
    if (this.#first.size < few) {
      this.#first.set(key, value)
      return
    }
    this.#others ??= Array.from({ length: spread }, () => new Map())
    this.#others[placeOf(key)]?.set(key, value)
  }

  delete(key: string): void {
    if (!this.#first.delete(key)) this.#others?.[placeOf(key)]?.delete(key)
  }
}

/** By FNV-1a over the units of a text. Who chooses names that meet has a large map, and nothing worse. */
function placeOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return Math.floor(spread * Math.log2(1 + (hash >>> 0) / 0x1_0000_0000))
}
