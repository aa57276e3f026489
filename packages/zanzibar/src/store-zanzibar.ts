import { held, momentOf } from './consistency/moment.ts'
import {
  changesOf,
  isSameList,
  type ListedObjects,
  type ObjectChanges,
  subscribe,
} from './consistency/subscribe.ts'
import type { Token, Tokens } from './consistency/token.ts'
import { watch } from './consistency/watch.ts'
import { ZanzibarError } from './errors.ts'
import type { Events, QueryOp } from './events.ts'
import {
  checkChanges,
  checkFilter,
  checkKey,
  checkList,
  checkQuery,
  checkTexts,
  checkTriple,
  checkWatch,
  checkWhole,
} from './given-kinds.ts'
import { contextualTuples, sizeOf, tupleOf } from './given-tuple.ts'
import { check } from './graph/check.ts'
import { allowed, type Decision } from './graph/decision.ts'
import { expand, type UsersetTree } from './graph/expand.ts'
import { type Explanation, explain } from './graph/explain.ts'
import { firstOfChecks, firstOfList } from './graph/first-reads.ts'
import { type ListObjectsRequest, listObjects } from './graph/list-objects.ts'
import { filterReason, listUsers } from './graph/list-users.ts'
import type { Scope } from './graph/tuple-reader.ts'
import { KeptLists } from './kept-lists.ts'
import type { ClosureIndex } from './leopard/closure-index.ts'
import type { Limits } from './limits.ts'
import { pageOf, readCursor } from './list-cursor.ts'
import type { TypeSystem } from './model/type-system.ts'
import type { Clock } from './ports.ts'
import { checkWrite } from './store/check-write.ts'
import type { Snapshot, Wanted } from './store/snapshot.ts'
import type { StoredTuple, TupleFilter, TupleStore } from './store/tuple-store.ts'
import type { TupleKey } from './tuple/tuple.ts'
import { objectReason, questionReason, relationReason, userReason } from './tuple/validity.ts'
import type {
  CheckEvaluation,
  ObjectPage,
  QueryOptions,
  UserList,
  WatchedChange,
  WatchFrom,
  Zanzibar,
  ZanzibarWrite,
} from './zanzibar.ts'

/** What questions are asked of. */
export interface Parts {
  readonly store: TupleStore
  /** Whether it was made here, and ends with this. */
  readonly isOwn: boolean
  readonly storeId: string
  readonly modelId: string
  readonly types: TypeSystem
  readonly index: ClosureIndex | undefined
  readonly limits: Limits
  readonly tokens: Tokens
  readonly tokenWait: number
  readonly clock: Clock
  readonly events: Events
}

/** See {@link Zanzibar}. */
export class StoreZanzibar implements Zanzibar {
  readonly storeId: string
  readonly modelId: string
  readonly #parts: Parts
  readonly #lists = new KeptLists()

  constructor(parts: Parts) {
    this.storeId = parts.storeId
    this.modelId = parts.modelId
    this.#parts = parts
  }

  async check(user: string, relation: string, object: string, options: QueryOptions = {}): Promise<boolean> {
    return allowed(await this.#decide({ user, relation, object }, options))
  }

  checkSync(user: string, relation: string, object: string, options: QueryOptions = {}): boolean {
    const decision = this.#decide({ user, relation, object }, options)
    if (!(decision instanceof Promise)) return allowed(decision)
    decision.catch(() => {})
    throw new ZanzibarError(
      'invalid_option',
      'checkSync has no answer at once: the store is not in this process, the moment is not there yet, or the question is long; use check',
    )
  }

  async evaluate(
    user: string,
    relation: string,
    object: string,
    options: QueryOptions = {},
  ): Promise<CheckEvaluation> {
    return await this.#at('evaluate', options, async (snapshot) => {
      const {
        allowed: isAllowed,
        error,
        missing,
      } = await this.#ask(snapshot, { user, relation, object }, options)
      if (error !== undefined && missing.length === 0) throw error
      const outcome = error !== undefined ? 'conditional' : isAllowed ? 'allowed' : 'denied'
      return { outcome, missing, token: this.#parts.tokens.write(snapshot.revision) }
    })
  }

  async explain(
    user: string,
    relation: string,
    object: string,
    options: QueryOptions = {},
  ): Promise<Explanation> {
    return await this.#at('explain', options, (snapshot) =>
      explain(this.#scope(snapshot, options), this.#defined({ user, relation, object }), options.signal),
    )
  }

  async checkMany(
    questions: readonly (readonly [user: string, relation: string, object: string])[],
    options: QueryOptions = {},
  ): Promise<readonly boolean[]> {
    checkList('questions', questions)
    for (const [at, each] of questions.entries()) checkTriple(`questions[${at}]`, each)
    const keys = questions.map(([user, relation, object]) => ({ user, relation, object }))
    return await this.#at(
      'checkMany',
      options,
      (snapshot) => Promise.all(keys.map(async (key) => allowed(await this.#ask(snapshot, key, options)))),
      () => this.#firstOf(keys, options),
    )
  }

  async *listObjects(
    user: string,
    relation: string,
    type: string,
    options: QueryOptions = {},
  ): AsyncIterable<string> {
    yield* (await this.#listed({ user, relation, type }, options)).objects
  }

  async listObjectsPage(
    user: string,
    relation: string,
    type: string,
    given: QueryOptions & { readonly limit: number; readonly after?: string | undefined },
  ): Promise<ObjectPage> {
    checkQuery(given)
    checkWhole('limit', given.limit, 'objects', 1)
    this.#checkList({ user, relation, type })
    const { limit, after, ...options } = given
    const { context, contextualTuples: tuples } = options
    const question = JSON.stringify([this.modelId, user, relation, type, context, tuples])
    const cursor = after === undefined ? undefined : readCursor(after, question)
    const moment = cursor === undefined ? options : { ...options, exactly: cursor.token }
    const request = { user, relation, type }
    // Of a further page all is at hand, mostly.
    const first = after === undefined ? () => this.#firstOfList(request, options) : undefined
    const page = async (snapshot: Snapshot): Promise<ObjectPage> => {
      const key = `${snapshot.revision} ${question}`
      // Only for a further page: what has expired since is not in a list that begins.
      const kept = after === undefined ? undefined : this.#lists.get(key)
      const all = kept ?? (await this.#objects(snapshot, request, options))
      const token = this.#parts.tokens.write(snapshot.revision)
      const found = pageOf(all, { last: cursor?.last, limit, token, question })
      if (found.next !== undefined) this.#lists.keep(key, all)
      return found
    }
    return await this.#at('listObjects', moment, page, first)
  }

  async listUsers(
    object: string,
    relation: string,
    filter: string,
    options: QueryOptions = {},
  ): Promise<UserList> {
    const { types, tokens } = this.#parts
    return await this.#at('listUsers', options, async (snapshot) => {
      checkTexts({ relation, object, filter })
      const [type = '', of, ...rest] = filter.split('#')
      const reason =
        objectReason(types, object) ??
        relationReason(types, { object, relation }) ??
        filterReason(types, { type, relation: of, rest })
      if (reason !== undefined) throw new ZanzibarError('validation_error', `cannot list users: ${reason}`)
      const request = { object, relation, filter: { type, relation: of } }
      const { users, everyone, except } = await listUsers(
        this.#scope(snapshot, options),
        request,
        options.signal,
      )
      return { users: users.toSorted(), everyone, except, token: tokens.write(snapshot.revision) }
    })
  }

  async expand(
    object: string,
    relation: string,
    { depth, ...options }: QueryOptions & { readonly depth?: number } = {},
  ): Promise<UsersetTree> {
    const { types } = this.#parts
    return await this.#at('expand', options, (snapshot) => {
      checkTexts({ relation, object })
      const reason = objectReason(types, object) ?? relationReason(types, { object, relation })
      if (reason !== undefined) throw new ZanzibarError('validation_error', `cannot expand: ${reason}`)
      return expand(this.#scope(snapshot, options), { object, relation, depth }, options.signal)
    })
  }

  subscribe(
    user: string,
    relation: string,
    object: string,
    options: Pick<QueryOptions, 'context' | 'contextualTuples' | 'signal'> = {},
  ): AsyncIterable<boolean> {
    checkQuery(options)
    const { store } = this.#parts
    const asked = { ask: () => this.check(user, relation, object, options), isSame: Object.is }
    return subscribe({ store, storeId: this.storeId, ...asked, signal: options.signal })
  }

  subscribeObjects(
    user: string,
    relation: string,
    type: string,
    options: Pick<QueryOptions, 'context' | 'contextualTuples' | 'signal'> = {},
  ): AsyncIterable<ObjectChanges> {
    checkQuery(options)
    const { store } = this.#parts
    const ask = (): Promise<ListedObjects> => this.#listed({ user, relation, type }, options)
    const asked = { ask, isSame: isSameList, signal: options.signal }
    return changesOf(subscribe({ store, storeId: this.storeId, ...asked }))
  }

  async *watch(options: WatchFrom = {}): AsyncIterable<WatchedChange> {
    checkWatch(options)
    const { after, from, types, signal } = options
    const { store, tokens } = this.#parts
    const afterRevision = from === undefined ? undefined : tokens.read(from)
    for await (const change of watch(store, this.storeId, { after, afterRevision, types, signal })) {
      yield { ...change, token: tokens.write(change.revision) }
    }
  }

  async write(changes: ZanzibarWrite): Promise<{ readonly token: Token }> {
    checkChanges(changes)
    const { store, types, limits, tokens } = this.#parts
    const request = {
      writes: (changes.add ?? []).map(tupleOf),
      deletes: (changes.remove ?? []).map(tupleOf),
      removeWhere: changes.removeWhere,
      preconditions: changes.if,
      onDuplicate: changes.onDuplicate,
      onMissing: changes.onMissing,
    }
    checkWrite(request, { rules: types, limits, sizeOf })
    const { revision } = await store.write(this.storeId, request)
    return { token: tokens.write(revision) }
  }

  async *read(filter: TupleFilter = {}): AsyncIterable<StoredTuple> {
    checkFilter('filter', filter)
    const { store, limits } = this.#parts
    let after: string | undefined
    do {
      const page = await store.read(this.storeId, filter, { limit: limits.maxPageSize, after })
      yield* page.items
      after = page.next
    } while (after !== undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#parts.index?.close()
    if (this.#parts.isOwn) await this.#parts.store[Symbol.asyncDispose]()
  }

  #decide(key: TupleKey, options: QueryOptions): Decision | Promise<Decision> {
    return this.#at(
      'check',
      options,
      (snapshot) => this.#ask(snapshot, key, options),
      () => this.#firstOf([key], options),
    )
  }

  #ask(snapshot: Snapshot, key: TupleKey, options: QueryOptions): Decision | Promise<Decision> {
    return check(this.#scope(snapshot, options), this.#defined(key), options.signal)
  }

  #firstOf(keys: readonly TupleKey[], options: QueryOptions): Wanted {
    return firstOfChecks(
      this.#parts.index,
      keys.map((key) => (snapshot) => ({ key: this.#defined(key), scope: this.#scope(snapshot, options) })),
    )
  }

  /** @throws ZanzibarError `validation_error` where the model does not define what is asked */
  #defined(key: TupleKey): TupleKey {
    checkKey(key)
    const reason = questionReason(this.#parts.types, key)
    if (reason !== undefined) throw new ZanzibarError('validation_error', `invalid relation: ${reason}`)
    return key
  }

  #checkList({ user, relation, type }: ListObjectsRequest): void {
    checkTexts({ user, relation, type })
    const { types } = this.#parts
    const reason = userReason(types, user) ?? relationReason(types, { object: `${type}:`, relation })
    if (reason !== undefined) throw new ZanzibarError('validation_error', `cannot list objects: ${reason}`)
  }

  #firstOfList(request: ListObjectsRequest, options: QueryOptions): Wanted {
    const scopeOf = (snapshot: Snapshot): Scope => {
      this.#checkList(request)
      return this.#scope(snapshot, options)
    }
    return firstOfList(this.#parts.index, scopeOf, request)
  }

  async #listed(request: ListObjectsRequest, options: QueryOptions): Promise<ListedObjects> {
    return await this.#at(
      'listObjects',
      options,
      async (snapshot) => ({
        objects: await this.#objects(snapshot, request, options),
        token: this.#parts.tokens.write(snapshot.revision),
      }),
      () => this.#firstOfList(request, options),
    )
  }

  async #objects(
    snapshot: Snapshot,
    request: ListObjectsRequest,
    options: QueryOptions,
  ): Promise<readonly string[]> {
    this.#checkList(request)
    const found = await listObjects(this.#scope(snapshot, options), request, options.signal)
    return found.toSorted()
  }

  #scope(snapshot: Snapshot, { context, contextualTuples: given }: QueryOptions): Scope {
    const { types, index, limits, clock } = this.#parts
    return {
      types,
      snapshot,
      index,
      context,
      contextualTuples: given && contextualTuples(types, given, clock),
      depthLimit: limits.resolveNodeLimit,
      maxConditionCost: limits.maxConditionCost,
    }
  }

  /** Holds the moment that is asked for while `work` runs; at once, without a promise, where that can be. */
  #at<T>(
    op: QueryOp,
    options: QueryOptions,
    work: (snapshot: Snapshot) => T | Promise<T>,
    first?: () => Wanted,
  ): T | Promise<T> {
    checkQuery(options)
    const { store, storeId, tokens, tokenWait, clock, events } = this.#parts
    const { atLeast, exactly, signal } = options
    const revision = exactly === undefined ? undefined : tokens.read(exactly)
    const least = atLeast === undefined ? 0 : tokens.read(atLeast)
    const waiting = { store, storeId, clock, limit: tokenWait, signal, first }
    const snapshot = momentOf({ least, exactly: revision }, waiting)
    const told = events.hearQueries
      ? (opened: Snapshot) => events.observe({ ...this.#parts, modelId: this.modelId, op }, opened, work)
      : work
    return snapshot instanceof Promise ? snapshot.then((opened) => held(opened, told)) : held(snapshot, told)
  }
}
