import { EventEmitter } from 'node:events'
import { isCollision } from './sql-state.ts'

/**
 * Hears on a connection of `pg` what collision has ended its transaction, whoever deals with the error: the error handler of a
 * framework makes an answer of it. Other drivers tell their callers alone.
 */
export class Collision implements Disposable {
  readonly #wire: EventEmitter | undefined
  #error: unknown

  constructor(connection: unknown) {
    const wire: unknown = Reflect.get(Object(connection), 'connection')
    if (!(wire instanceof EventEmitter)) return
    this.#wire = wire.on('errorMessage', this.#fail)
  }

  /** Undefined where there is none, or the transaction went back to a savepoint before it. */
  get error(): unknown {
    return this.#error
  }

  [Symbol.dispose](): void {
    this.#wire?.off('errorMessage', this.#fail).off('readyForQuery', this.#goOn)
  }

  readonly #fail = (error: unknown): void => {
    if (this.#error !== undefined || !isCollision(error)) return
    this.#error = error
    // Only from then on, since the wire says it after every statement.
    this.#wire?.on('readyForQuery', this.#goOn)
  }

  readonly #goOn = ({ status }: { readonly status?: string }): void => {
    // E: failed, and only to be rolled back.
    if (status === 'E') return
    this.#error = undefined
    this.#wire?.off('readyForQuery', this.#goOn)
  }
}
