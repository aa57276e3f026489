// Numbers and strings stay as they were written: parsed, 9007199254740992 and …993 would be one.
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const word = /true|false|null/y

const depthMax = 500

/** Where members are left out of a fingerprint, as a tree of the steps of their JSON Pointers. */
export interface LeftOut extends ReadonlyMap<string, LeftOut | true> {}

/**
 * JSON with the members of its objects in the order of RFC 8785 (section 3.2.3), without white space, and otherwise as
 * it was written.
 *
 * @returns undefined for what is no JSON, nests deeper than 500, or names a member of one object twice
 */
export function canonicalJson(text: string, leftOut?: LeftOut): string | undefined {
  return new Reader(text).whole(leftOut)
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(leftOut: LeftOut | undefined): string | undefined {
    const value = this.#value(leftOut, 0)
    this.#skipSpace()
    return this.#at === this.#text.length ? value : undefined
  }

  #value(leftOut: LeftOut | undefined, depth: number): string | undefined {
    this.#skipSpace()
    switch (this.#text[this.#at]) {
      case '{':
        return depth < depthMax ? this.#object(leftOut, depth + 1) : undefined
      case '[':
        return depth < depthMax ? this.#array(leftOut, depth + 1) : undefined
      case '"':
        return this.#string()
      case undefined:
        return undefined
      default:
        return this.#token(word) ?? this.#token(numberToken)
    }
  }

  #object(leftOut: LeftOut | undefined, depth: number): string | undefined {
    const members: Member[] = []
    let inOrder = true
    let before: string | undefined
    this.#at++
    if (this.#take('}')) return '{}'
    do {
      this.#skipSpace()
      const token = this.#string()
      if (token === undefined || !this.#take(':')) return undefined
      const isPlain = !token.includes('\\') && token.isWellFormed()
      const name: string = isPlain ? token.slice(1, -1) : JSON.parse(token)
      const below = leftOut?.get(name)
      const value = this.#value(below === true ? undefined : below, depth)
      if (value === undefined) return undefined
      const text = `${isPlain ? token : JSON.stringify(name)}:${value}`
      members.push({ name, text: below === true ? undefined : text })
      inOrder &&= before === undefined || before < name
      before = name
    } while (this.#take(','))
    if (!this.#take('}')) return undefined
    // By UTF-16 code units, as the comparison of strings goes.
    const sorted = inOrder ? members : members.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    if (!inOrder && sorted.some(({ name }, at) => name === sorted[at + 1]?.name)) return undefined
    let text = ''
    for (const member of sorted) {
      if (member.text !== undefined) text += text === '' ? member.text : `,${member.text}`
    }
    return `{${text}}`
  }

  #array(leftOut: LeftOut | undefined, depth: number): string | undefined {
    const items: string[] = []
    this.#at++
    if (this.#take(']')) return '[]'
    let kept = 0
    do {
      const below = leftOut?.get(String(kept++))
      const value = this.#value(below === true ? undefined : below, depth)
      if (value === undefined) return undefined
      if (below !== true) items.push(value)
    } while (this.#take(','))
    return this.#take(']') ? `[${items.join()}]` : undefined
  }

  #take(character: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at++
    }
  }

  // No expression for the whole of it: one keeps a place to go back to for each character, and fails from some 8 MiB on.
  #string(): string | undefined {
    const text = this.#text
    const start = this.#at
    if (text[start] !== '"') return undefined
    for (let at = start + 1; ; ) {
      const code = text.charCodeAt(at)
      if (code === 0x22) {
        this.#at = at + 1
        return text.slice(start, this.#at)
      }
      if (code === 0x5c) {
        escape.lastIndex = at
        if (!escape.test(text)) return undefined
        at = escape.lastIndex
      } else if (code >= 0x20) at++
      else return undefined
    }
  }

  #token(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at
    if (!expression.test(this.#text)) return undefined
    const token = this.#text.slice(this.#at, expression.lastIndex)
    this.#at = expression.lastIndex
    return token
  }
}

/** A member of an object; without a text where it is left out. */
interface Member {
  readonly name: string
  readonly text: string | undefined
}
