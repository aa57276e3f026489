import { ZanzibarError } from '../../errors.ts'
import { Bytes, Column } from './column.ts'
import { mix, Slots } from './slots.ts'

/** Objects (`type:id`) with a number each. Ids are kept as bytes, types once: no string stays in memory for an object. */
export class Names {
  readonly #types: string[] = []
  readonly #typeIds = new Map<string, number>()
  /** Of each name, where its id ends in the bytes; it begins where the one before ends. */
  readonly #ends = new Column()
  /** Of two names each, their types: 16 bits of a column each. */
  readonly #typeOf = new Column()
  readonly #bytes = new Bytes()
  readonly #slots = new Slots()
  /** Where hashing starts: nobody can guess it. */
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  /** -1 where it is not there. */
  find(object: string): number {
    return this.#find(object, this.#hash(object))
  }

  intern(object: string): number {
    const hash = this.#hash(object)
    const found = this.#find(object, hash)
    if (found !== -1) return found
    const colon = object.indexOf(':')
    const name = this.#ends.length
    const id = object.slice(colon + 1)
    const type = this.#internType(object.slice(0, colon))
    this.#bytes.append(id, isAscii(id))
    this.#ends.push(this.#bytes.length)
    if (name % 2 === 0) this.#typeOf.push(type)
    else this.#typeOf.set(name >>> 1, this.#typeOf.get(name >>> 1) | (type << 16))
    this.#slots.add(name, hash, (each) => this.#hashOf(each))
    return name
  }

  text(name: number): string {
    const id = this.#bytes.text(this.#begin(name), this.#ends.get(name))
    return `${this.typeName(this.typeOf(name))}:${id}`
  }

  /** The number of the type of an object. */
  typeOf(name: number): number {
    return (this.#typeOf.get(name >>> 1) >>> (name % 2 === 0 ? 0 : 16)) & 0xffff
  }

  typeName(type: number): string {
    return this.#types[type] ?? ''
  }

  /** -1 where no object has that type. */
  findType(type: string): number {
    return this.#typeIds.get(type) ?? -1
  }

  #internType(type: string): number {
    const found = this.findType(type)
    if (found !== -1) return found
    if (this.#types.length > 0xffff)
      throw new ZanzibarError(
        'exceeded_entity_limit',
        'a store in memory holds 65536 types of objects at most',
      )
    this.#typeIds.set(type, this.#types.length)
    return this.#types.push(type) - 1
  }

  #begin(name: number): number {
    return name === 0 ? 0 : this.#ends.get(name - 1)
  }

  #find(object: string, hash: number): number {
    const slots = this.#slots
    for (let slot = slots.first(hash); slot !== -1; slot = slots.next(slot, hash)) {
      const name = slots.index(slot)
      if (this.#is(name, object)) return name
    }
    return -1
  }

  #is(name: number, object: string): boolean {
    const type = this.typeName(this.typeOf(name))
    const begin = this.#begin(name)
    const length = this.#ends.get(name) - begin
    const colon = type.length
    if (object.length - colon - 1 > length || !object.startsWith(type)) return false
    if (object.charCodeAt(colon) !== 0x3a) return false
    const bytes = this.#bytes
    for (let at = 0; at < length; at++) {
      const byte = bytes.get(begin + at)
      if (byte >= 0x80) return this.text(name) === object
      if (byte !== object.charCodeAt(colon + 1 + at)) return false
    }
    return object.length === colon + 1 + length
  }

  /** The hash of a name that is there, mostly without its text. */
  #hashOf(name: number): number {
    const type = this.typeName(this.typeOf(name))
    let hash = fnv(fnv(this.#seed, type), ':')
    const end = this.#ends.get(name)
    for (let at = this.#begin(name); at < end; at++) {
      const byte = this.#bytes.get(at)
      if (byte >= 0x80) return this.#hash(this.text(name))
      hash = Math.imul(hash ^ byte, 0x01000193)
    }
    return mix(hash)
  }

  #hash(object: string): number {
    return mix(fnv(this.#seed, object))
  }
}

/** FNV-1a over the units of a text. */
function fnv(start: number, text: string): number {
  let hash = start
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 0x80) return false
  return true
}
