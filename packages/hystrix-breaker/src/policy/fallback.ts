import type { CallContext, Sink, Work } from '../call.ts'
import type { CallScope } from '../call-scope.ts'
import { InvalidOptionError, ResilienceError, shown } from '../errors.ts'
import { checkFunction, checkInteger, checkNames } from '../option-checks.ts'
import { ask } from './ask.ts'
import type { PipelineParts, Policy, Step } from './policy.ts'
import { workStep } from './work-step.ts'

/** Answers in place of a call that failed with `error`. */
export type Fallback<F> = (error: unknown, context: CallContext) => F | PromiseLike<F>

export interface FallbackOptions {
  /** Whether an error is replaced. Default: every one, but never the abort of the caller. */
  readonly when?: (error: unknown) => boolean
  /** Fallbacks that may run at once; more fail with `FALLBACK_FAILED`. Default: no limit. */
  readonly max?: number
}

/**
 * What answers where the policies and the work inside failed: a function, or several, of which each is given what the one
 * before it failed with. Where all fail the run fails with `FALLBACK_FAILED`; its `cause` is an AggregateError of the first
 * error and those of the fallbacks, in order.
 *
 * @throws InvalidOptionError naming the option.
 */
export function fallback<F>(
  answers: Fallback<F> | readonly Fallback<F>[],
  options: FallbackOptions = {},
): Policy<F> {
  checkNames('fallback', options, ['when', 'max'])
  const { when, max = Infinity } = options
  if (when !== undefined) checkFunction('when', when)
  if (max !== Infinity) checkInteger('max', max, 0, 1_000_000)
  const isList: boolean = Array.isArray(answers) && answers.length > 0
  if (typeof answers !== 'function' && !isList)
    throw new InvalidOptionError(`fallback must be a function or a list of them, not ${shown(answers)}`)
  const chain = typeof answers === 'function' ? [answers] : [...answers]
  for (const each of chain) checkFunction('fallback', each)
  let running = 0
  return {
    added: [],
    compile<Inner>(next: Step<Inner>, parts: PipelineParts): Step<Inner | F> {
      return <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Inner | F>): void => {
        next(scope, work, {
          succeed: (value) => sink.succeed(value),
          fail: (error) => {
            if (scope.isAborted || (when !== undefined && !ask(parts, 'when', when, error, true)))
              sink.fail(error)
            else if (running >= max)
              sink.fail(failure(parts, [error], `${running} fallbacks are running already`))
            else {
              running++
              new FallbackChain(parts, scope, chain, error, {
                succeed: (value) => {
                  running--
                  sink.succeed(value)
                },
                fail: (last) => {
                  running--
                  sink.fail(last)
                },
              }).next(error)
            }
          },
        })
      }
    },
  }
}

class FallbackChain<F> implements Sink<F> {
  readonly #parts: PipelineParts
  readonly #scope: CallScope
  readonly #chain: readonly Fallback<F>[]
  readonly #errors: unknown[]
  readonly #sink: Sink<F>
  #at = 0

  constructor(
    parts: PipelineParts,
    scope: CallScope,
    chain: readonly Fallback<F>[],
    error: unknown,
    sink: Sink<F>,
  ) {
    this.#parts = parts
    this.#scope = scope
    this.#chain = chain
    this.#errors = [error]
    this.#sink = sink
  }

  next(error: unknown): void {
    const answer = this.#chain[this.#at]
    this.#at++
    if (answer === undefined) {
      this.#sink.fail(failure(this.#parts, this.#errors, 'and so did its fallback'))
      return
    }
    const { name, emitter } = this.#parts
    emitter.emit('fallback', () => ({ name, error }))
    workStep(this.#scope, (context) => answer(error, context), this)
  }

  succeed(value: F): void {
    this.#sink.succeed(value)
  }

  fail(error: unknown): void {
    if (this.#scope.isAborted) this.#sink.fail(this.#scope.reason)
    else {
      this.#errors.push(error)
      this.next(error)
    }
  }
}

function failure({ name }: PipelineParts, errors: readonly unknown[], why: string): ResilienceError {
  return new ResilienceError('FALLBACK_FAILED', `${name}: it failed, ${why}`, {
    cause: new AggregateError(errors, 'the error of the call, then those of its fallbacks'),
  })
}
