import type { Mark } from './errors.ts'

/** How a scalar was written. */
type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded'

/** A tag before its handle is looked up; without a handle the suffix is the whole tag. */
export interface TagReference {
  readonly handle?: string
  readonly suffix: string
}

/** A directive of the head of a document. */
export type Directive =
  | { readonly name: 'YAML'; readonly major: bigint }
  | { readonly name: 'TAG'; readonly handle: string; readonly prefix: string }
  | { readonly name: 'other' }

/** Tokens that carry nothing but their place. */
export type Indicator =
  | 'stream end'
  | 'document start'
  | 'document end'
  | 'block sequence start'
  | 'block mapping start'
  | 'block end'
  | 'flow sequence start'
  | 'flow mapping start'
  | 'flow sequence end'
  | 'flow mapping end'
  | 'block entry'
  | 'flow entry'
  | 'key'
  | 'value'

/** A token of YAML 1.1 as PyYAML cuts them; `end` lies after it. */
export type Token = { readonly start: Mark; readonly end: Mark } & (
  | { readonly type: Indicator }
  | { readonly type: 'directive'; readonly directive: Directive }
  | { readonly type: 'alias' | 'anchor'; readonly name: string }
  | { readonly type: 'tag'; readonly tag: TagReference }
  | { readonly type: 'scalar'; readonly text: string; readonly style: ScalarStyle }
)
