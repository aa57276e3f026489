import { Buffer } from 'node:buffer'
import { ZanzibarError } from '../errors.ts'
import { checkClock, checkRecord, checkWhole } from '../given-kinds.ts'
import type { AuthorizationModel } from '../model/authorization-model.ts'
import { type Clock, type Random, realClock, realRandom } from '../ports.ts'
import { MemoryTuples } from './memory/memory-tuples.ts'
import type { Snapshot } from './snapshot.ts'
import type {
  Assertion,
  Change,
  ChangesRequest,
  Page,
  PageRequest,
  SnapshotOptions,
  StoredModel,
  StoredTuple,
  StoreRecord,
  TupleFilter,
  TupleStore,
  WriteAnswer,
  WriteRequest,
} from './tuple-store.ts'
import { ulid } from './ulid.ts'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** How many revisions before the last one can be asked for, of each store. Default: 1000. */
  readonly history?: number
  readonly clock?: Clock
  readonly random?: Random
}

/**
 * A store in the memory of the process. About 50 bytes a tuple; reads answer at once.
 *
 * @throws ZanzibarError `invalid_option`
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  checkRecord('options', options)
  const { history = 1000, clock = realClock, random = realRandom } = options
  checkWhole('history', history, 'revisions', 0)
  checkClock(clock)
  return new MemoryStore(history, clock, random)
}

interface Space {
  /** How many stores were made before. */
  readonly place: number
  readonly record: StoreRecord
  /** The oldest first. */
  readonly models: StoredModel[]
  readonly assertions: Map<string, readonly Assertion[]>
  readonly tuples: MemoryTuples
}

/** See {@link memoryStore}. */
export class MemoryStore implements TupleStore {
  readonly identity: Uint8Array
  readonly #spaces = new Map<string, Space>()
  #made = 0
  readonly #history: number
  readonly #clock: Clock
  readonly #random: Random

  /** @internal */
  constructor(history: number, clock: Clock, random: Random) {
    this.#history = history
    this.#clock = clock
    this.#random = random
    this.identity = random.bytes(16)
  }

  async createStore(name: string): Promise<StoreRecord> {
    const now = this.#clock.now()
    const record = { id: ulid(this.#clock, this.#random), name, createdAt: now, updatedAt: now }
    const seed = Buffer.from(this.#random.bytes(4)).readUInt32LE()
    this.#spaces.set(record.id, {
      place: this.#made++,
      record,
      models: [],
      assertions: new Map(),
      tuples: new MemoryTuples(seed, this.#clock, this.#history),
    })
    return record
  }

  async getStore(storeId: string): Promise<StoreRecord | undefined> {
    return this.#spaces.get(storeId)?.record
  }

  async listStores({
    limit,
    after,
    name,
  }: PageRequest & { readonly name?: string | undefined }): Promise<Page<StoreRecord>> {
    const named: [number, StoreRecord][] = []
    for (const { place, record } of this.#spaces.values()) {
      if (name === undefined || record.name === name) named.push([place, record])
    }
    return pageOf(named, limit, after, (place, last) => place > last)
  }

  async deleteStore(storeId: string): Promise<void> {
    const space = this.#spaces.get(storeId)
    this.#spaces.delete(storeId)
    space?.tuples.wake()
  }

  async writeModel(storeId: string, model: AuthorizationModel): Promise<string> {
    const { models } = this.#space(storeId)
    const id = ulid(this.#clock, this.#random)
    models.push({ id, model })
    return id
  }

  async readModel(storeId: string, modelId?: string): Promise<StoredModel | undefined> {
    const { models } = this.#space(storeId)
    return modelId === undefined ? models.at(-1) : models.find(({ id }) => id === modelId)
  }

  async listModels(storeId: string, { limit, after }: PageRequest): Promise<Page<StoredModel>> {
    const { models } = this.#space(storeId)
    return pageOf([...models.entries()].toReversed(), limit, after, (place, last) => place < last)
  }

  async writeAssertions(storeId: string, modelId: string, assertions: readonly Assertion[]): Promise<void> {
    this.#space(storeId).assertions.set(modelId, [...assertions])
  }

  async readAssertions(storeId: string, modelId: string): Promise<readonly Assertion[]> {
    return this.#space(storeId).assertions.get(modelId) ?? []
  }

  async write(storeId: string, request: WriteRequest): Promise<WriteAnswer> {
    return this.#space(storeId).tuples.write(request)
  }

  async read(storeId: string, filter: TupleFilter, request: PageRequest): Promise<Page<StoredTuple>> {
    return this.#space(storeId).tuples.read(filter, request)
  }

  async changes(storeId: string, request: ChangesRequest): Promise<readonly Change[]> {
    return this.#space(storeId).tuples.changes(request)
  }

  snapshot(storeId: string, { revision }: SnapshotOptions = {}): Snapshot {
    return this.#space(storeId).tuples.snapshot(revision)
  }

  revision(storeId: string): number {
    return this.#space(storeId).tuples.revision
  }

  async changed(storeId: string, revision: number, signal?: AbortSignal): Promise<void> {
    await this.#space(storeId).tuples.changed(revision, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { tuples } of this.#spaces.values()) tuples.wake()
    this.#spaces.clear()
  }

  #space(storeId: string): Space {
    const space = this.#spaces.get(storeId)
    if (space === undefined) throw new ZanzibarError('store_id_not_found', 'Store ID not found')
    return space
  }
}

/** Items by their places, which are never taken twice: what is removed meanwhile shifts nothing. */
function pageOf<Item>(
  items: Iterable<readonly [place: number, item: Item]>,
  limit: number,
  after: string | undefined,
  isAfter: (place: number, after: number) => boolean,
): Page<Item> {
  const page: Item[] = []
  let last = 0
  for (const [place, item] of items) {
    if (after !== undefined && !isAfter(place, Number(after))) continue
    if (page.length === limit) return { items: page, next: String(last) }
    page.push(item)
    last = place
  }
  return { items: page, next: undefined }
}
