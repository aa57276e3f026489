import type { Tuple } from '../tuple/tuple.ts'

/** A question about the tuples of one store. With a `limit`, one more than that is enough where there are more. */
export type Read =
  /** The tuple of that key: none or one. */
  | { readonly kind: 'tuple'; readonly object: string; readonly relation: string; readonly user: string }
  /** All tuples of `object#relation`, or those of them whose user is a userset. */
  | {
      readonly kind: 'users' | 'usersets'
      readonly object: string
      readonly relation: string
      readonly limit?: number | undefined
    }
  /** All tuples that give `user` that relation to an object of that type. */
  | {
      readonly kind: 'objects'
      readonly type: string
      readonly relation: string
      readonly user: string
      readonly limit?: number | undefined
    }

/** The tuples of one store at one revision, for the time of one request. Stored tuples as they are, valid under a model or not; no order. */
export interface Snapshot {
  /** Where writes were up to: 0 is an empty store, each write is one more. */
  readonly revision: number
  /** What is asked for, where it is at hand; undefined where it must be fetched first. Stores in the process always answer. */
  at(read: Read): readonly Tuple[] | undefined
  /** Brings all of these to hand in one round trip. */
  fetch(reads: readonly Read[], signal?: AbortSignal): Promise<void>
  /** Gives up what the snapshot holds; it is not asked afterwards. */
  release(): void
}
