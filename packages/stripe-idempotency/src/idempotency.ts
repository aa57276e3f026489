import { type Duration, parsePositiveDuration, parseRetention } from './duration.ts'
import { Engine } from './engine.ts'
import { IdempotencyError, shown } from './errors.ts'
import { Events, type IdempotencyEvents } from './events.ts'
import type { Execution } from './execution.ts'
import { Exchange } from './http/exchange.ts'
import { type HttpOptions, httpSettings } from './http/http-options.ts'
import { type CompleteOptions, Completer, type Completion } from './operation/completer.ts'
import { type Inbox, type InboxOptions, inboxOf } from './operation/inbox.ts'
import { checkName, type Operation, type OperationParts, PhasedOperation } from './operation/operation.ts'
import type { Job, Outbox } from './operation/outbox.ts'
import type { Verdict } from './operation/phase.ts'
import { settleUncertain } from './operation/reconcile.ts'
import type { StandardSchema } from './operation/standard-schema.ts'
import { startWorker, type Worker, type WorkerOptions } from './operation/worker.ts'
import { type Clock, type Random, realClock, realRandom } from './ports.ts'
import type { IdempotencyRecord } from './record/record.ts'
import { checkText, type Run, type RunRequest, run, type Settler } from './run.ts'
import { checkedSecrets, type Secret, sealerOf } from './seal.ts'
import { type IdempotencyStore, isTransactional, type TransactionalStore } from './store/store.ts'
import { settleInTransaction, transactionsOf } from './transaction.ts'

/** Options of {@link createIdempotency}. */
export interface IdempotencyOptions {
  readonly store: IdempotencyStore
  /**
   * Seals what is stored and hides keys. The first seals, the last names keys: to change it, put a new one in front. An empty list
   * is refused. Default: none; contents are stored as they are.
   */
  readonly secrets?: readonly Secret[]
  /** For how long a holder may be silent before its record is taken for abandoned. Default: `60s`. */
  readonly lease?: Duration
  /**
   * For how long an answer is kept, from the first use of its key; one that comes late, for at least a tenth of that once it is there, and
   * one that is found out by `resolve`, for all of it. Default: that of the mode over HTTP, else `24h`.
   */
  readonly ttl?: Duration
  /** How long the store may take to answer a claim; nothing is executed where it does not. Default: `5s`. */
  readonly storeTimeout?: Duration
  /** Where jobs that phases stage are kept until a worker delivers them. Default: none, and phases stage none. */
  readonly outbox?: Outbox<never>
  readonly clock?: Clock
  readonly random?: Random
}

/** Options of {@link createIdempotency}, on a store with transactions. */
export interface TransactionalOptions<Transaction> extends IdempotencyOptions {
  readonly store: TransactionalStore<Transaction>
  readonly outbox?: Outbox<Transaction>
}

/**
 * One effect for each key, on one store; `Transaction` is what its transactions are, null where it has none.
 *
 * Its disposal aborts the signals of what is at work, waits until that has ended, with its leases renewed, and then disposes of
 * the store. What ignores its signal is waited for all the same, without a limit, as pools of connections and servers wait:
 * nobody else may begin it. Whoever will not wait for longer ends the process, and it is as after a crash. Workers are ended by
 * themselves.
 */
export interface Idempotency<Transaction = null> extends AsyncDisposable {
  /**
   * Carries out `work` once for its scope and key, and answers with what it came to, then and from then on. Values are kept as
   * JSON. An error of `work` says that nothing was done: the key is as new.
   *
   * @throws IdempotencyError `mismatch`, `in_use`, `uncertain`, `store_unavailable`, `lease_lost`, `response_unavailable`,
   * `input_invalid`, `value_invalid`
   */
  run<Value>(request: RunRequest, work: (execution: Execution) => Promise<Value>): Promise<Run<Value>>
  /**
   * As {@link run}, in one transaction: what `work` writes in it, the key and the answer are committed together, or none of
   * it. `work` is run again where its transaction collided with another one, or its commit with the loss of the connection
   * and the key shows that nothing was committed.
   *
   * @throws IdempotencyError `invalid_option` where the store has no transactions
   */
  transaction<Value>(
    request: RunRequest,
    work: (transaction: Transaction, execution: Execution) => Promise<Value>,
  ): Promise<Run<Value>>
  /**
   * As {@link run}, as a part of a transaction that you have begun, and will commit, or roll back where it rejects. A rival
   * with the same key is told `in_use` until then, or waits for it.
   *
   *     await db.transaction(async (tx) => {
   *       await idempotency.within(tx).run({ scope, key, input }, () => tx.query('UPDATE …'))
   *     })
   */
  within(transaction: Transaction): Pick<Idempotency, 'run'>
  /** The same for requests over HTTP; what the adapters are made of. */
  http(options: HttpOptions): Exchange
  /**
   * Work in phases, to which `tx` and `call` add one each. Under its name a completer finds it again: it is the same after a
   * restart, and phases keep their names. `schema` checks inputs; default: they are what they are.
   *
   * @throws IdempotencyError `invalid_option` where there is one of this name
   */
  operation<Input>(name: string): Operation<Transaction, Input, Input, unknown, undefined>
  operation<Given, Input>(
    name: string,
    schema: StandardSchema<Given, Input>,
  ): Operation<Transaction, Given, Input, unknown, undefined>
  /**
   * Settles an uncertain record, as a store lists it, by what somebody found out. An operation in phases goes on: with the
   * value of `applied` as what its phase in doubt left, or, if `notApplied`, with that phase. Of any other record the value is
   * the answer, or its key is as new.
   *
   * @returns whether it was uncertain still, and the verdict was not `unknown`
   */
  resolve(record: IdempotencyRecord, verdict: Verdict<unknown>): Promise<boolean>
  /**
   * Calls `listener` at each event. `outcome` is told of each request, other than those `within` a transaction of yours, whose
   * outcome is that of the transaction; `lease-lost` of each holder whose work was taken over; `failed-open` of each
   * request that was carried out without its key. What a listener throws changes nothing,
   * and becomes a warning of the process. The same events of all instances are on the diagnostics channels
   * `loadbearing:stripe-idempotency:outcome`, `…:lease-lost` and `…:failed-open`.
   *
   * @returns ends it
   */
  on<Name extends keyof IdempotencyEvents>(
    name: Name,
    listener: (event: IdempotencyEvents[Name]) => void,
  ): () => void
  /**
   * The consumer's side of an outbox: whatever is delivered at least once has one effect. `work` is carried out once for each
   * job, by its `id`, for as long as answers are kept (`ttl`): in one transaction with the key, where the store has
   * transactions, else as {@link run} does, with `null` for one.
   *
   *     const take = idempotency.inbox('mailer', async (job, tx) => {
   *       await tx.query('INSERT INTO mail …', [job.payload])
   *     })
   *     queue.process((message) => take(message)) // false: it had been done before
   *
   * @param consumer who takes the jobs: each consumer does the work of a job once
   */
  inbox(
    consumer: string,
    work: (job: Job, transaction: Transaction) => Promise<void>,
    options?: InboxOptions,
  ): Inbox
  /**
   * Goes once through the operations that were abandoned, and the uncertain ones, as a worker's `complete` does again and
   * again: for where nothing runs for long. Those that were left by their callers are taken at once.
   *
   * @returns what became of each; it rejects only where they cannot be listed
   */
  complete(options?: CompleteOptions): Promise<readonly Completion[]>
  /** Goes on with what was abandoned, deletes what has expired, delivers what was staged: what it is told to. */
  worker(options: WorkerOptions): Worker
}

/** @throws IdempotencyError `invalid_option` */
export function createIdempotency<Transaction>(
  options: TransactionalOptions<Transaction>,
): Idempotency<Transaction>
export function createIdempotency(options: IdempotencyOptions): Idempotency
export function createIdempotency(options: IdempotencyOptions): Idempotency<never> {
  const { store, clock = realClock, random = realRandom } = options
  checkPart('store', store, ['claim', 'find', 'complete'], 'such as memoryStore()')
  checkPart('clock', clock, ['now', 'monotonic', 'setTimeout', 'clearTimeout'])
  checkPart('random', random, ['bytes'])
  if (options.outbox !== undefined)
    checkPart('outbox', options.outbox, ['stage', 'drain'], 'such as memoryOutbox()')
  const lease = parsePositiveDuration('lease', options.lease ?? '60s')
  const storeTimeout = parsePositiveDuration('storeTimeout', options.storeTimeout ?? '5s')
  const sealer = sealerOf(checkedSecrets(options.secrets), random)
  const events = new Events()
  const engines: Engine[] = []
  const engineFor = (ttl: number): Engine => {
    const made = new Engine({ store, sealer, clock, random, lease, ttl, storeTimeout, events })
    engines.push(made)
    return made
  }
  const ttl = options.ttl === undefined ? undefined : parseRetention('ttl', options.ttl)
  if (ttl === 0) throw new IdempotencyError('invalid_option', 'ttl must be above 0, not 0')
  const engine = engineFor(ttl ?? 86_400_000)
  const parts: OperationParts = {
    engine,
    store,
    outbox: options.outbox,
    sealer,
    clock,
    lease,
    registry: new Map(),
  }
  const runInTransaction = async <Value>(
    request: RunRequest,
    work: (transaction: never, execution: Execution) => Promise<Value>,
  ): Promise<Run<Value>> => {
    const transactional = transactionsOf(store)
    const settler: Settler<[never]> = {
      settle: (asked, perform, again) =>
        engine.observe(asked, perform, (each) =>
          settleInTransaction(engine, transactional, asked, each, again),
        ),
    }
    return run(settler, request, (execution, transaction) => work(transaction, execution))
  }
  return {
    run: (request, work) => run(engine, request, work),
    transaction: runInTransaction,
    within: (transaction) => within(engine, transactionsOf(store), transaction),
    http: (each) => {
      const settings = httpSettings(each)
      const transactional = each.transaction === true ? transactionsOf(store) : undefined
      return new Exchange(engineFor(ttl ?? settings.mode.retention), settings, transactional)
    },
    operation: <Given, Input>(name: string, schema?: StandardSchema<Given, Input>) => {
      checkName('the name of an operation', name)
      if (parts.registry.has(name)) {
        throw new IdempotencyError('invalid_option', `there is an operation ${name} already`)
      }
      return new PhasedOperation<never, Given, Input, unknown, undefined>(parts, name, schema, [])
    },
    resolve: (record, verdict) => settleUncertain(parts, record, verdict),
    inbox: (consumer, work, each = {}) => {
      checkText('consumer', consumer)
      return isTransactional(store)
        ? inboxOf(runInTransaction, consumer, work, each)
        : // The type of a store without transactions says null.
          inboxOf((request, once) => run(engine, request, () => once(null as never)), consumer, work, each)
    },
    on: (name, listener) => events.on(name, listener),
    complete: async ({ signal, ...each } = {}) =>
      new Completer(parts, each, signal ?? new AbortController().signal, () => {}).once(),
    worker: (each) => startWorker(parts, each),
    async [Symbol.asyncDispose]() {
      await Promise.all(engines.map((each) => each[Symbol.asyncDispose]()))
      await store[Symbol.asyncDispose]()
    },
  }
}

/** @throws IdempotencyError `invalid_option` */
function checkPart(name: string, value: unknown, methods: readonly string[], such?: string): void {
  const missing = methods.find((method) => typeof Reflect.get(Object(value), method) !== 'function')
  if (missing === undefined) return
  throw new IdempotencyError(
    'invalid_option',
    `${name} must be a ${name}${such === undefined ? '' : `, ${such}`}, with a method ${missing}, not ${shown(value)}`,
  )
}

function within<Transaction>(
  engine: Engine,
  store: TransactionalStore<Transaction>,
  transaction: Transaction,
): Pick<Idempotency, 'run'> {
  const part = store.within(transaction)
  return {
    run: (request, work) =>
      run({ settle: (asked, perform) => engine.settleWithin(part, asked, perform) }, request, work),
  }
}
