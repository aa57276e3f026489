import { Buffer } from 'node:buffer'

/** A growing array of u32, a thirty-second larger each time it is full. */
export class Column {
  #array = new Uint32Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** 0 beyond the end. */
  get(index: number): number {
    return this.#array[index] ?? 0
  }

  set(index: number, value: number): void {
    this.#array[index] = value
  }

  push(value: number): void {
    if (this.#length === this.#array.length) this.#grow(this.#length + 1)
    this.#array[this.#length++] = value
  }

  #grow(least: number): void {
    const grown = new Uint32Array(Math.max(64, least + (least >>> 5)))
    grown.set(this.#array)
    this.#array = grown
  }
}

/** The same for bytes. */
export class Bytes {
  #array = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  get(index: number): number {
    return this.#array[index] ?? 0
  }

  /** UTF-8, or a part of it that is ASCII. */
  append(text: string, isAscii: boolean): void {
    const needed = isAscii ? text.length : Buffer.byteLength(text)
    if (this.#length + needed > this.#array.length) this.#grow(this.#length + needed)
    this.#array.write(text, this.#length, isAscii ? 'latin1' : 'utf8')
    this.#length += needed
  }

  text(from: number, to: number): string {
    return this.#array.toString('utf8', from, to)
  }

  #grow(least: number): void {
    const grown = Buffer.alloc(Math.max(1024, least + (least >>> 5)))
    this.#array.copy(grown, 0, 0, this.#length)
    this.#array = grown
  }
}
