import { IdempotencyError, isIdempotencyError, storeUnavailable } from '../../errors.ts'
import {
  type Answered,
  type Port,
  type Querier,
  querierOf,
  type Row,
  type Statement,
  type Step,
} from './client.ts'
import { Collision } from './collision.ts'
import { isShutdown, sqlState } from './sql-state.ts'
import { statement } from './statements.ts'

const begin: Step = [statement('BEGIN'), []]
const commit: Step = [statement('COMMIT'), []]

/** Failures of commits that may have been carried out all the same. */
const unknownCommits = new WeakSet<object>()

/**
 * Runs `work` on a connection of its own, in a transaction that is committed when it resolves and rolled back when it
 * rejects. `opening` are the statements that open it; without any it is begun along with the first statement of `work`,
 * which must be the querier's, not the connection's.
 *
 * @throws what `work` throws, or the collision that ended the transaction, whatever `work` has made of it;
 * IdempotencyError `store_unavailable` where the server cannot be reached, its connection was lost, or the commit failed
 */
export async function inTransaction<Result>(
  port: Port,
  prepare: boolean,
  opening: string | null,
  work: (querier: TransactionQuerier, connection: unknown) => Promise<Result>,
): Promise<Result> {
  const { connection, release } = await reached('begin a transaction', port.connect())
  const querier = new TransactionQuerier(querierOf(connection, prepare))
  using collision = new Collision(connection)
  let broken = true
  try {
    if (opening !== null) await querier.begin(opening)
    let result: Result
    try {
      result = await work(querier, connection)
      await querier.commit()
    } catch (failed) {
      const error = collision.error ?? failed
      broken = mayBeCommitted(error) || !(await querier.rollBack())
      // What failed may be an answer that somebody has made of the loss.
      throw broken && !isIdempotencyError(error) ? storeUnavailable('carry out a transaction', error) : error
    }
    broken = false
    return result
  } finally {
    release(broken)
  }
}

/** What the server says of a statement is passed on as it is; that it says nothing is an error of the store. */
function reached<Answer>(what: string, asked: Promise<Answer>): Promise<Answer> {
  return asked.catch((cause: unknown) => {
    throw sqlState(cause) === undefined && !isIdempotencyError(cause) ? storeUnavailable(what, cause) : cause
  })
}

/** Whether the error is that of a commit which may have been carried out. */
export function mayBeCommitted(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unknownCommits.has(error)
}

/** The connection of a transaction, whose beginning and last statement wait for what can go to the server along with them. */
export class TransactionQuerier implements Querier {
  readonly #querier: Querier
  #begun = false
  #waiting: Step | undefined = begin

  constructor(querier: Querier) {
    this.#querier = querier
  }

  async begin(opening: string): Promise<void> {
    this.#take()
    await reached('begin a transaction', this.#querier.run(opening))
  }

  async query(asked: Statement, params: readonly unknown[]): Promise<readonly Row[]> {
    if (this.#waiting !== undefined) await this.together([])
    return await reached('carry out a statement', this.#querier.query(asked, params))
  }

  together(steps: readonly Step[]): Promise<Answered> {
    return reached('carry out statements', this.#querier.together([...this.#take(), ...steps]))
  }

  async run(text: string): Promise<string> {
    if (this.#waiting !== undefined) await this.together([])
    return await reached('carry out a statement', this.#querier.run(text))
  }

  /** Carried out with whatever is next, the commit at the latest: where it fails there is none. */
  defer(step: Step): void {
    this.#waiting = step
  }

  /** @throws IdempotencyError `store_unavailable` */
  async commit(): Promise<void> {
    if (!this.#begun) return
    let tag: string
    try {
      ;({ tag } = await this.together([commit]))
    } catch (cause) {
      if (sqlState(cause) !== undefined && !isShutdown(cause)) throw cause
      const error = new IdempotencyError(
        'store_unavailable',
        'the connection was lost in a commit, which may have been carried out; ask for the key again',
        { cause },
      )
      unknownCommits.add(error)
      throw error
    }
    if (tag === 'COMMIT') return
    throw new IdempotencyError(
      'store_unavailable',
      'the transaction was rolled back, since a statement in it had failed and the error was not passed on',
    )
  }

  /** Whether it is. */
  async rollBack(): Promise<boolean> {
    if (!this.#begun) return true
    try {
      await this.#querier.run('ROLLBACK')
      return true
    } catch {
      return false
    }
  }

  #take(): readonly Step[] {
    this.#begun = true
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting === undefined ? [] : [waiting]
  }
}
