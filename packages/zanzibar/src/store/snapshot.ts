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

/** A question about several tuples. */
export type ListRead = Exclude<Read, { readonly kind: 'tuple' }>

/** Where what is read leads on to: what a store that fetches may bring along, as far as it sees fit. */
export type Onward = Downward | Upward

/** From objects to what their users lead to. */
export interface Downward {
  readonly way: 'down'
  /** Lists of an object, by the places that the steps name. */
  readonly lists: readonly {
    readonly kind: 'users' | 'usersets'
    readonly type: string
    readonly relation: string
  }[]
  /** A tuple of the list `from` whose user is of that type, or `type#relation`, leads to the list `to` of that user's object. */
  readonly steps: readonly { readonly from: number; readonly user: string; readonly to: number }[]
  /** What decides at the lists that are led to: all that somebody was assigned, of the types of those. */
  readonly ends: readonly Extract<Read, { readonly kind: 'objects' }>[]
  /** The way from the user's side, which may be the shorter one where a list is wide. */
  readonly above?: Above | undefined
}

/** A list of more tuples is a wide one: from the user's side it may be less. */
export const maxNarrow = 32

/** From a user up to those that the lists which are asked for name; where one is met, the way down need not be told. */
export interface Above extends Pick<Upward, 'lists' | 'steps'> {
  /** The lists it begins with. */
  readonly first: readonly { readonly list: number; readonly user: string }[]
  /** An object of the list `from`, with that suffix, is one of those that are looked for. */
  readonly last: readonly { readonly from: number; readonly suffix: string }[]
}

/** From users to what they lead to. */
export interface Upward {
  readonly way: 'up'
  /** Lists of what a user was assigned, by the places that the steps name. */
  readonly lists: readonly { readonly type: string; readonly relation: string }[]
  /** An object of the list `from` leads to the list `to` of the user that it is itself, or with that suffix, `#relation`. */
  readonly steps: readonly { readonly from: number; readonly suffix: string; readonly to: number }[]
}

/** The way of one question that others go on from: where it ends for that one is not where it ends for them. */
export function ledByOne(onward: Onward | undefined): Onward | undefined {
  return onward?.way === 'down' ? { ...onward, above: undefined } : onward
}

/** What is asked for at once. */
export interface Wanted {
  readonly reads: readonly Read[]
  readonly onward?: Onward | undefined
}

/** The tuples of one store at one revision, for the time of one request. Stored tuples as they are, valid under a model or not; no order. */
export interface Snapshot {
  /** Where writes were up to: 0 is an empty store, each write is one more. */
  readonly revision: number
  /** The id of the model that was written last, then or since: of a store that tells it for less than the model itself. */
  readonly latestModel?: string | undefined
  /** What is asked for, where it is at hand; undefined where it must be fetched first. Stores in the process always answer. */
  at(read: Read): readonly Tuple[] | undefined
  /** Brings all of these to hand in one round trip. */
  fetch(reads: readonly Read[], signal?: AbortSignal, onward?: Onward): Promise<void>
  /** Gives up what the snapshot holds; it is not asked afterwards. */
  release(): void
}
