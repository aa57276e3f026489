import type { Submittable } from 'pg'
import type { Breaker } from '../breaker.ts'
import { Exchange } from './exchange.ts'
import { type Method, replaceMethods } from './replaced-methods.ts'

/** What a client of pg tells a submittable of: a cursor, a stream of rows, a `Query`. */
export interface ToldQuery extends Submittable {
  handleError(error: unknown, connection: unknown): void
  callback?: unknown
}

export function isSubmittable(query: object): query is ToldQuery {
  return 'submit' in query && typeof query.submit === 'function'
}

/** What shows that the database answers: the first row, or an end without one. */
const answers = [
  'handleDataRow',
  'handlePortalSuspended',
  'handleCommandComplete',
  'handleEmptyQuery',
  'handleReadyForQuery',
]

/**
 * Sends `query` by `send` where the breaker lets it. A success with its first row, for how fast the others are read is for
 * who reads them to say; failed with its error. One that is refused, or whose time is over, is told so as pg tells it of
 * a client that was closed.
 */
export function submit(query: ToldQuery, breaker: Breaker, connection: unknown, send: () => void): void {
  let restore = (): void => {}
  const tells =
    (settle: (error: unknown) => void) =>
    (original: Method): Method =>
      function (this: unknown, ...args) {
        restore()
        settle(args[0])
        return Reflect.apply(original, this, args)
      }
  const exchange = new Exchange(breaker, {
    begin: () => {
      const answered = tells(() => exchange.succeed())
      restore = replaceMethods(query, {
        ...Object.fromEntries(answers.map((name) => [name, answered])),
        handleError: tells((error) => exchange.fail(error)),
      })
      send()
    },
    giveUp: (error) => {
      restore()
      process.nextTick(() => {
        query.handleError(error, connection)
        // pg does not send it any more where it has not, nor is it told what comes from the database after all.
        const nothing = (): void => {}
        Object.assign(query, { submit: () => error, handleError: nothing })
        if (typeof query.callback === 'function') query.callback = nothing
      })
    },
  })
  exchange.start()
}
