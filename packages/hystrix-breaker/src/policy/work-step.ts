import type { Sink, Work } from '../call.ts'
import type { Abortable, CallScope } from '../call-scope.ts'
import { isThenable, ownPromise } from '../thenable.ts'

/** The innermost step: runs the work, and answers once, with what it gives or with the abort of its scope. */
export function workStep<T>(scope: CallScope, work: Work<T>, sink: Sink<T>): void {
  if (scope.isAborted) {
    sink.fail(scope.reason)
    return
  }
  let result: T | PromiseLike<T>
  try {
    result = work(scope)
    if (isThenable(result)) {
      new Pending(scope, sink).follow(result)
      return
    }
  } catch (error) {
    sink.fail(error)
    return
  }
  sink.succeed(result)
}

class Pending<T> implements Abortable {
  readonly #scope: CallScope
  readonly #sink: Sink<T>
  #answered = false

  constructor(scope: CallScope, sink: Sink<T>) {
    this.#scope = scope
    this.#sink = sink
  }

  follow(result: PromiseLike<T>): void {
    ownPromise(result).then(
      (value) => this.#succeeded(value),
      (error: unknown) => this.aborted(error),
    )
    if (this.#answered) return
    // The work may have aborted its own run before it gave its promise.
    if (this.#scope.isAborted) this.aborted(this.#scope.reason)
    else this.#scope.add(this)
  }

  /** By its scope, or by what the work was rejected with. */
  aborted(reason: unknown): void {
    if (this.#answer()) this.#sink.fail(reason)
  }

  #succeeded(value: T): void {
    if (this.#answer()) this.#sink.succeed(value)
  }

  #answer(): boolean {
    if (this.#answered) return false
    this.#answered = true
    this.#scope.remove(this)
    return true
  }
}
