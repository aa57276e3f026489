import { ZanzibarError } from '../../errors.ts'

/** A word or a sign of a schema; the end of the text is one without text. */
export interface Token {
  readonly text: string
  readonly isName: boolean
  /** Offset into the text. */
  readonly at: number
}

const space = /(?:\s|;|\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/)*/y
const name = /[A-Za-z_]\w*(?:\/[A-Za-z_]\w*)*/y
const sign = /->|\.\.\.|[{}():|=+&\-#*,.<>]/y

/** The text of a schema, word by word. */
export class SchemaTokens {
  readonly #text: string
  #next: Token

  constructor(text: string) {
    this.#text = text
    this.#next = this.#tokenAt(0)
  }

  get next(): Token {
    return this.#next
  }

  take(): Token {
    const token = this.#next
    this.#next = this.#tokenAt(token.at + token.text.length)
    return token
  }

  /** Takes the next one, where it is that. */
  taken(text: string): boolean {
    if (this.#next.text !== text) return false
    this.take()
    return true
  }

  /** @throws ZanzibarError `invalid_syntax` for another one */
  expect(text: string): Token {
    if (this.#next.text !== text) this.refuse(`expected ${text}, found ${this.#next.text || 'the end'}`)
    return this.take()
  }

  name(what: string): string {
    if (!this.#next.isName) this.refuse(`expected ${what}, found ${this.#next.text || 'the end'}`)
    return this.take().text
  }

  /** The text between the brace that is next and the one that closes it. */
  braced(): string {
    const { at } = this.#next
    if (this.#next.text !== '{') this.refuse('expected {')
    const end = this.#closing(at)
    this.#next = this.#tokenAt(end + 1)
    return this.#text.slice(at + 1, end).trim()
  }

  /** @throws ZanzibarError `invalid_syntax`, naming the place */
  refuse(problem: string, at: number = this.#next.at): never {
    const before = this.#text.slice(0, at).split('\n')
    const line = before.length - 1
    const column = before.at(-1)?.length ?? 0
    throw new ZanzibarError('invalid_syntax', `schema line ${line + 1}, column ${column + 1}: ${problem}`, {
      positions: [
        {
          kind: 'syntax',
          message: problem,
          line: { start: line, end: line },
          column: { start: column, end: column + 1 },
        },
      ],
    })
  }

  /** Where braces close; those of texts in quotes do not count. */
  #closing(open: number): number {
    let depth = 0
    let quote = ''
    for (let at = open; at < this.#text.length; at++) {
      const each = this.#text[at] ?? ''
      if (quote !== '') {
        if (each === '\\') at++
        else if (each === quote) quote = ''
      } else if (each === '"' || each === "'") quote = each
      else if (each === '{') depth++
      else if (each === '}' && --depth === 0) return at
    }
    return this.refuse('the brace is never closed', open)
  }

  #tokenAt(offset: number): Token {
    space.lastIndex = offset
    const at = offset + (space.exec(this.#text)?.[0].length ?? 0)
    if (at >= this.#text.length) return { text: '', isName: false, at }
    for (const [form, isName] of [
      [name, true],
      [sign, false],
    ] as const) {
      form.lastIndex = at
      const text = form.exec(this.#text)?.[0]
      if (text !== undefined) return { text, isName, at }
    }
    return this.refuse(`unexpected ${this.#text[at]}`, at)
  }
}
