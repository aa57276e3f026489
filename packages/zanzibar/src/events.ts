import { type Channel, channel } from 'node:diagnostics_channel'
import type { ClosureIndex } from './leopard/closure-index.ts'
import type { Clock } from './ports.ts'
import type { Snapshot } from './store/snapshot.ts'

/** What happens while questions are answered. Each is also published to the channel `loadbearing:zanzibar:<type>` of `node:diagnostics_channel`. */
export type ZanzibarEvent = QueryEvent | IndexOffEvent

/** A question came to its end. Made only where somebody listens. */
export interface QueryEvent {
  readonly type: 'query'
  readonly op: QueryOp
  readonly storeId: string
  readonly modelId: string
  /** The moment that it was asked of. */
  readonly revision: number
  /** Milliseconds from when that moment was held. */
  readonly durationMs: number
  /** How often tuples were asked for. */
  readonly reads: number
  /** How many round trips these took beside the one that held the moment; 0 for a store in the process. */
  readonly fetches: number
  /** What the closure index was to it; `behind`: it was of another moment, `off`: it had grown too large, or is closed. */
  readonly index: 'none' | 'ready' | 'behind' | 'off'
  /** What it ended with, where it had no answer. */
  readonly error: unknown
}

export type QueryOp =
  | 'batchCheck'
  | 'check'
  | 'checkMany'
  | 'evaluate'
  | 'expand'
  | 'explain'
  | 'listObjects'
  | 'listUsers'

/** What nests in a store is more than its closure index may hold. It is given up: checks walk, until it is opened anew. */
export interface IndexOffEvent {
  readonly type: 'index-off'
  readonly storeId: string
  /** Relations of objects and tuples that nest, when it was given up. */
  readonly entries: number
  readonly maxEntries: number
}

/** What a question is asked of. */
export interface Asking {
  readonly op: QueryOp
  readonly storeId: string
  readonly modelId: string
  readonly index: Pick<ClosureIndex, 'isOff' | 'revision'> | undefined
}

const channels: Readonly<Record<ZanzibarEvent['type'], Channel>> = {
  query: channel('loadbearing:zanzibar:query'),
  'index-off': channel('loadbearing:zanzibar:index-off'),
}

/** Tells a listener and the channels. What they throw is uncaught, and changes nothing for who asked. */
export class Events {
  readonly #listener: ((event: ZanzibarEvent) => void) | undefined
  readonly #clock: Pick<Clock, 'monotonic'>

  constructor(listener: ((event: ZanzibarEvent) => void) | undefined, clock: Pick<Clock, 'monotonic'>) {
    this.#listener = listener
    this.#clock = clock
  }

  tell(event: ZanzibarEvent): void {
    channels[event.type].publish(event)
    try {
      this.#listener?.(event)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }

  /** Whether anybody wants to know of questions. */
  get hearQueries(): boolean {
    return this.#listener !== undefined || channels.query.hasSubscribers
  }

  /** A snapshot that counts what is asked of it, and what says that the question came to its end. */
  begin(
    { op, storeId, modelId, index }: Asking,
    snapshot: Snapshot,
  ): { readonly snapshot: Snapshot; readonly end: (error?: unknown) => void } {
    const { revision } = snapshot
    const from = this.#clock.monotonic()
    const state = index === undefined ? 'none' : stateOf(index, revision)
    let reads = 0
    let fetches = 0
    return {
      snapshot: {
        revision,
        at: (read) => {
          reads++
          return snapshot.at(read)
        },
        fetch: (asked, signal, onward) => {
          fetches++
          return snapshot.fetch(asked, signal, onward)
        },
        release: () => snapshot.release(),
      },
      end: (error) => {
        const durationMs = this.#clock.monotonic() - from
        const counted = { revision, durationMs, reads, fetches, index: state }
        this.tell({ type: 'query', op, storeId, modelId, ...counted, error })
      },
    }
  }

  /** Does the work of a question, and tells of it where anybody wants to know; at once, without a promise, where that can be. */
  observe<T>(
    asking: Asking,
    snapshot: Snapshot,
    work: (snapshot: Snapshot) => T | Promise<T>,
  ): T | Promise<T> {
    if (!this.hearQueries) return work(snapshot)
    const query = this.begin(asking, snapshot)
    let result: T | Promise<T>
    try {
      result = work(query.snapshot)
    } catch (error) {
      query.end(error)
      throw error
    }
    if (!(result instanceof Promise)) {
      query.end(errorOf(result))
      return result
    }
    return result.then(
      (answer) => {
        query.end(errorOf(answer))
        return answer
      },
      (error: unknown) => {
        query.end(error)
        throw error
      },
    )
  }
}

function stateOf(
  { isOff, revision }: Pick<ClosureIndex, 'isOff' | 'revision'>,
  asked: number,
): QueryEvent['index'] {
  if (isOff) return 'off'
  return revision === asked ? 'ready' : 'behind'
}

/** Of a decision that has none but an error. */
function errorOf(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : undefined
}
