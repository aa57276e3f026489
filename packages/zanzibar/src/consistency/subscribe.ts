import type { TupleStore } from '../store/tuple-store.ts'
import type { Token } from './token.ts'

/** What an answer is asked of, again and again. */
export interface Subscription<Answer> {
  readonly store: Pick<TupleStore, 'changed' | 'revision'>
  readonly storeId: string
  /** The answer of the latest moment. */
  readonly ask: () => Promise<Answer>
  readonly isSame: (a: Answer, b: Answer) => boolean
  /** Ends the subscription, without an error. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The answer to a question, and each other answer that writes and expiry make of it. Where several writes come between two looks, what
 * only held between them is not seen; the last answer always is.
 */
export async function* subscribe<Answer>({
  store,
  storeId,
  ask,
  isSame,
  signal,
}: Subscription<Answer>): AsyncGenerator<Answer, void, undefined> {
  const isOver = (): boolean => signal?.aborted === true
  const left = new AbortController()
  const either = signal === undefined ? left.signal : AbortSignal.any([left.signal, signal])
  let last: { readonly answer: Answer } | undefined
  try {
    while (!isOver()) {
      try {
        const revision = await store.revision(storeId)
        // Waited for from before the answer on: what expires while it is made is not missed.
        const changed = store.changed(storeId, revision, either)
        changed.catch(() => {})
        const answer = await ask()
        if (last === undefined || !isSame(last.answer, answer)) yield answer
        last = { answer }
        await changed
      } catch (error) {
        if (!isOver()) throw error
      }
    }
  } finally {
    left.abort()
  }
}

/** A list at a moment. */
export interface ListedObjects {
  readonly objects: readonly string[]
  readonly token: Token
}

/** What a list has gained and lost since it was told before. */
export interface ObjectChanges<ObjectName extends string = string> {
  readonly added: readonly ObjectName[]
  readonly removed: readonly ObjectName[]
  /** The moment of the list that this leads to. */
  readonly token: Token
}

export function isSameList({ objects: a }: ListedObjects, { objects: b }: ListedObjects): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at])
}

/** Each list as what it changes in the one before; the first one in nothing. */
export async function* changesOf(
  lists: AsyncIterable<ListedObjects>,
): AsyncGenerator<ObjectChanges, void, undefined> {
  let last: ReadonlySet<string> = new Set()
  for await (const { objects, token } of lists) {
    const now = new Set(objects)
    yield {
      added: objects.filter((each) => !last.has(each)),
      removed: [...last].filter((each) => !now.has(each)),
      token,
    }
    last = now
  }
}
