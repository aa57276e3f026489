import { needFeature } from '../need-feature.ts'
import { scalar } from '../value/value.ts'
import { parseError } from './errors.ts'
import type { Program, Step } from './program.ts'
import { parsePath } from './split-key.ts'

// A deeper interpolation is no configuration but an attack; OmegaConf runs out of Python's stack before.
const depthMax = 400

/** Arguments of resolvers up to `}`: their steps go into the program, and they are given as they are written. */
export type ArgumentGrammar = (parser: Parser) => readonly string[]

/**
 * Parses a string of a configuration (rule `configValue` of OmegaConf's grammar).
 * @param grammar without which `${name:…}` is refused
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function parseInterpolation(text: string, grammar: ArgumentGrammar | undefined): Program {
  return new Parser(text, grammar).whole((parser) => parser.text(''))
}

type Quote = '' | "'" | '"'

/** Where a text is more than text. */
const marks: Readonly<Record<Quote, RegExp>> = { '': /\$\{/g, "'": /\$\{|'/g, '"': /\$\{|"/g }
const opening = /\$\{[ \t]*/y
export const closing: RegExp = /[ \t]*\}/y
export const colon: RegExp = /[ \t]*:[ \t]*/y
const dot = /\./y
const dots = /\.+/y
const bracket = /\[/y
const bracketEnd = /\]/y
const keyText = /[^\\{}()[\]:. \t'"]+/y
const identifier = /^[a-zA-Z_][\w-]*$/

/** Makes the steps of a program in the order in which a text is read. */
export class Parser {
  readonly steps: Step[] = []
  readonly source: string
  readonly #grammar: ArgumentGrammar | undefined
  #at = 0
  #depth = 0

  constructor(source: string, grammar: ArgumentGrammar | undefined) {
    this.source = source
    this.#grammar = grammar
  }

  /** The program of a text that is one thing to its end. */
  whole(parse: (parser: Parser) => void): Program {
    parse(this)
    if (this.#at < this.source.length) throw this.unexpected('the end')
    return this.steps
  }

  get at(): number {
    return this.#at
  }

  /** What the pattern, which is sticky, finds here; undefined where that is nothing. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.source)
    if (found === null) return undefined
    this.#at += found[0].length
    return found
  }

  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    return pattern.test(this.source)
  }

  expect(pattern: RegExp, what: string): void {
    if (this.take(pattern) === undefined) throw this.unexpected(what)
  }

  unexpected(expected: string): Error {
    const found = this.source.codePointAt(this.#at)
    const shown = found === undefined ? 'the end' : JSON.stringify(String.fromCodePoint(found))
    return parseError(`${expected} is expected, not ${shown}`, this.#at)
  }

  nested(what: string, parse: () => void): void {
    if (++this.#depth > depthMax) throw parseError(`${what} are nested too deep`, this.#at)
    parse()
    this.#depth--
  }

  /** Text and interpolations up to `quote` and behind it, or without one to the end. */
  text(quote: Quote): void {
    const parts: Part[] = []
    const mark = marks[quote]
    let text = ''
    for (;;) {
      const start = this.#at
      mark.lastIndex = start
      const found = mark.exec(this.source)
      this.#at = found?.index ?? this.source.length
      let end = this.#at
      // Backslashes count only where they end before a mark.
      if (found !== null) while (end > start && this.source[end - 1] === '\\') end--
      const backslashes = this.#at - end
      text += this.source.slice(start, end + Math.floor(backslashes / 2))
      if (backslashes % 2 === 1) {
        text += found?.[0] ?? ''
        this.#at = mark.lastIndex
      } else {
        if (text !== '') parts.push(text)
        text = ''
        if (!this.interpolation()) break
        parts.push(undefined)
      }
    }
    if (quote !== '') this.expect(quote === "'" ? /'/y : /"/y, quote)
    else if (parts.length === 0) throw this.unexpected('text')
    this.join(parts, quote !== '')
  }

  /** Makes one value of parts; of an interpolation alone its own value, unless that is to be a text. */
  join(parts: readonly Part[], asText: boolean): void {
    if (parts.length === 1 && parts[0] === undefined && !asText) return
    const gaps = gapsOf(parts)
    this.steps.push(
      gaps === 0
        ? { op: 'literal', value: scalar(parts.join('')) }
        : { op: 'text', template: { parts, gaps }, count: gaps },
    )
  }

  /** Leaves its value on the stack; false where none begins here. */
  interpolation(): boolean {
    if (!this.sees(opening)) return false
    this.nested('interpolations', () => {
      this.take(opening)
      const start = this.take(dots)
      const parts: Part[] = start === undefined ? [] : [start[0]]
      let nameable = start === undefined
      for (let first = true; ; first = false) {
        if (this.take(bracket)) {
          nameable = false
          parts.push('[', this.#key(), ']')
          this.expect(bracketEnd, "']'")
        } else if (first || this.take(dot)) {
          if (!first) parts.push('.')
          const key = this.#key()
          nameable &&= key === undefined || identifier.test(key)
          parts.push(key)
        } else break
      }
      const template = { parts, gaps: gapsOf(parts) }
      if (nameable && this.take(colon)) {
        const read = this.#grammar ?? needFeature('${name:…}, the call of a resolver,', 'resolverCalls')
        this.steps.push({ op: 'call', name: template, sources: read(this) })
      } else {
        this.steps.push(
          template.gaps > 0
            ? { op: 'joined node', template }
            : { op: 'node', path: parsePath(parts.join('')) },
        )
      }
      this.expect(closing, "'}'")
    })
    return true
  }

  /** Undefined for one that an interpolation tells. */
  #key(): Part {
    if (this.interpolation()) {
      this.steps.push({ op: 'text only' })
      return undefined
    }
    const [key] = this.take(keyText) ?? []
    if (key === undefined) throw this.unexpected('a key')
    return key
  }
}

/** A text, or undefined for what an interpolation leaves on the stack. */
export type Part = string | undefined

function gapsOf(parts: readonly Part[]): number {
  return parts.filter((part) => part === undefined).length
}
