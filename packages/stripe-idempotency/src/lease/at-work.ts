import { IdempotencyError } from '../errors.ts'

/** What is carried out at this moment, until it is told to end. */
export class AtWork {
  #count = 0
  /** Of those who look at their signals. */
  readonly #controllers = new Set<AbortController>()
  #ended: PromiseWithResolvers<void> | undefined

  begin(): void {
    this.#count++
  }

  end(): void {
    this.#count--
    if (this.#count === 0) this.#ended?.resolve()
  }

  /** A controller whose signal is aborted when all is to end. */
  controller(): AbortController {
    const controller = new AbortController()
    if (this.#ended !== undefined) controller.abort(disposed())
    else this.#controllers.add(controller)
    return controller
  }

  forget(controller: AbortController | undefined): void {
    if (controller !== undefined) this.#controllers.delete(controller)
  }

  /** Tells all to end, and waits for it. */
  async over(): Promise<void> {
    this.#ended ??= Promise.withResolvers<void>()
    for (const controller of this.#controllers) controller.abort(disposed())
    this.#controllers.clear()
    if (this.#count > 0) await this.#ended.promise
  }
}

function disposed(): IdempotencyError {
  return new IdempotencyError(
    'disposed',
    'the instance was disposed of while this was at work; ask again with the same key',
  )
}
