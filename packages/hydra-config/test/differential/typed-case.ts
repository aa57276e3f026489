/** A scalar or container as the port tags it. */
export type Tagged =
  | null
  | boolean
  | string
  | { readonly i: string }
  | { readonly f: string }
  | { readonly b: string }
  | { readonly m: readonly (readonly [Tagged, Tagged])[] }
  | readonly Tagged[]

export interface TypedHint {
  readonly type: TypedType
  readonly optional: boolean
}

export type TypedType =
  | { readonly t: 'int' | 'float' | 'bool' | 'str' | 'bytes' | 'path' | 'any' }
  | { readonly t: 'enum'; readonly name: string; readonly members: readonly (readonly [string, Tagged])[] }
  | { readonly t: 'union'; readonly of: readonly TypedType[] }
  | { readonly t: 'list'; readonly of: TypedHint }
  | { readonly t: 'dict'; readonly key: TypedType; readonly of: TypedHint }
  | { readonly t: 'struct'; readonly name: string }

export interface TypedField {
  readonly name: string
  readonly hint: TypedHint
  readonly default: { readonly missing: true } | { readonly struct: string } | { readonly value: Tagged }
}

export interface TypedStruct {
  readonly name: string
  readonly base?: string
  readonly frozen?: boolean
  readonly fields: readonly TypedField[]
}

export type TypedStep =
  | { readonly op: 'merge' | 'under'; readonly text: string }
  | { readonly op: 'mergeStruct'; readonly name: string }
  | {
      readonly op: 'update'
      readonly key: string
      readonly text: string
      readonly merge: boolean
      readonly forceAdd: boolean
    }
  | {
      readonly op: 'flag'
      readonly key: string
      readonly flag: 'struct' | 'readonly'
      readonly value: boolean
    }

/** Structs, the one to begin with, what is done to it, and what is asked then. */
export interface TypedCase {
  readonly structs: readonly TypedStruct[]
  readonly root: string
  readonly steps: readonly TypedStep[]
  readonly select: readonly string[]
}
