import type { TupleKey } from '../../src/tuple/tuple.ts'

/** How many tuples are written, or deleted, together. */
export const unitSize = 5

/** Tuples that are only ever written or deleted together. */
export function unit(name: string, index: number): readonly TupleKey[] {
  return Array.from({ length: unitSize }, (_, part) => ({
    user: `user:${part}`,
    relation: 'viewer',
    object: `doc:${name}-${index}`,
  }))
}

/** What a writer says of a unit. */
export interface Said {
  readonly name: string
  readonly index: number
  /** Of the write; undefined where it was refused. */
  readonly revision?: number
  readonly refused?: string
}

export function isSaid(message: unknown): message is Said {
  return typeof message === 'object' && message !== null && 'index' in message
}
