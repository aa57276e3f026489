import type { Read, Snapshot } from '../../src/store/snapshot.ts'
import type { Tuple } from '../../src/tuple/tuple.ts'

/** A snapshot that looks through a list: slow, and plainly right. */
export function arraySnapshot(tuples: readonly Tuple[]): Snapshot {
  return {
    revision: tuples.length,
    at: (read) => tuples.filter((tuple) => isAsked(read, tuple)),
    fetch: () => Promise.reject(new Error('All is at hand.')),
    release: () => undefined,
  }
}

/** One that has nothing at hand until it is fetched, and counts how often that was. */
export class FetchedSnapshot implements Snapshot {
  readonly revision: number
  fetches = 0
  readonly #tuples: readonly Tuple[]
  readonly #fetched = new Set<string>()

  constructor(tuples: readonly Tuple[]) {
    this.revision = tuples.length
    this.#tuples = tuples
  }

  at(read: Read): readonly Tuple[] | undefined {
    if (!this.#fetched.has(JSON.stringify(read))) return undefined
    return this.#tuples.filter((tuple) => isAsked(read, tuple))
  }

  async fetch(reads: readonly Read[]): Promise<void> {
    this.fetches++
    for (const read of reads) this.#fetched.add(JSON.stringify(read))
  }

  release(): void {}
}

/** One that stops who asks it after so many fetches. */
export class StoppingSnapshot extends FetchedSnapshot {
  readonly #stop = new AbortController()
  readonly #after: number

  constructor(tuples: readonly Tuple[], after: number) {
    super(tuples)
    this.#after = after
  }

  get stopped(): AbortSignal {
    return this.#stop.signal
  }

  override async fetch(reads: readonly Read[]): Promise<void> {
    if (this.fetches === this.#after) this.#stop.abort(new Error('enough'))
    this.#stop.signal.throwIfAborted()
    await super.fetch(reads)
  }
}

function isAsked(read: Read, { object, relation, user }: Tuple): boolean {
  if (relation !== read.relation) return false
  switch (read.kind) {
    case 'tuple':
      return object === read.object && user === read.user
    case 'usersets':
      return object === read.object && user.includes('#')
    case 'users':
      return object === read.object
    case 'objects':
  }
  return object.startsWith(`${read.type}:`) && user === read.user
}
