import { ZanzibarError } from '../errors.ts'
import { nextTurn } from '../ports.ts'
import type { Snapshot, Wanted } from '../store/snapshot.ts'

/** How much is done at once of a question before it is a long one: about 5 ms of work. */
const stepsAtOnce = 5_000
/** How much of a long one between two turns of the event loop: about 2 ms. */
const stepsPerTurn = 1_500

/** A question that is worked on in small parts. */
export interface Question<Answer> {
  /** Goes on for about so many steps. */
  advance(steps: number): Progress<Answer>
}

export type Progress<Answer> =
  | { readonly state: 'answered'; readonly answer: Answer }
  | { readonly state: 'working' }
  /** Goes on once these are fetched; there is at least one. */
  | ({ readonly state: 'waiting' } & Wanted)

export const working: Progress<never> = { state: 'working' }

/**
 * Works on a question until it is answered: at once where it is short and all tuples are at hand. Gives the event loop
 * its turn about every 2 ms, and looks at `signal` then.
 *
 * @throws ZanzibarError `cancelled` when `signal` is aborted
 */
export function answer<Answer>(
  question: Question<Answer>,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Answer | Promise<Answer> {
  stopIfAborted(signal)
  const progress = question.advance(stepsAtOnce)
  return progress.state === 'answered' ? progress.answer : goOn(question, progress, snapshot, signal)
}

/** A question of which parts can be told before all of it. */
export interface QuestionInParts<Answer> extends Question<Answer> {
  /** What was found since it was last asked. */
  take(): readonly string[]
}

/** The same in parts: what was found since the part before. Ends with the answer. */
export async function* answerInParts<Answer>(
  question: QuestionInParts<Answer>,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly string[], Answer, undefined> {
  for (;;) {
    stopIfAborted(signal)
    const progress = question.advance(stepsPerTurn)
    const part = question.take()
    if (part.length > 0) {
      yield part
      // Who took it may have taken long.
      stopIfAborted(signal)
    }
    if (progress.state === 'answered') return progress.answer
    await prepared(progress, snapshot, signal)
  }
}

async function goOn<Answer>(
  question: Question<Answer>,
  begun: Progress<Answer>,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  let progress = begun
  while (progress.state !== 'answered') {
    await prepared(progress, snapshot, signal)
    progress = question.advance(stepsPerTurn)
  }
  return progress.answer
}

/** Waits for what the question needs to go on. */
async function prepared(
  progress: Progress<unknown>,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await (progress.state === 'waiting'
      ? snapshot.fetch(progress.reads, signal, progress.onward)
      : nextTurn())
  } catch (error) {
    // A store gives up with the signal's reason.
    stopIfAborted(signal)
    throw error
  }
  stopIfAborted(signal)
}

/** @throws ZanzibarError `cancelled` */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return
  throw new ZanzibarError('cancelled', 'The question was given up by its signal', { cause: signal.reason })
}
