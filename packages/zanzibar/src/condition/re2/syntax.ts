/** A set of code points. */
export type Matcher = (codePoint: number) => boolean

/** A parsed pattern. Groups and greediness do not change what matches, so they leave no trace. */
export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly matches: Matcher }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly kind: 'alternatives'; readonly nodes: readonly Node[] }
  | Repetition

export interface Repetition {
  readonly kind: 'repetition'
  readonly node: Node
  readonly least: number
  /** Infinity where there is no end. */
  readonly most: number
  /** Written with braces, of which those in each other have a limit. */
  readonly isCounted: boolean
}

/** What must hold between two characters. */
export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'wordBoundary' | 'noWordBoundary'

/** Says what is wrong with a pattern, in Go's words (`regexp/syntax`). */
export class PatternFault extends Error {
  constructor(problem: string, part: string) {
    super(`error parsing regexp: ${problem}: \`${part}\``)
  }
}
