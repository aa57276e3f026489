import { isDeepStrictEqual } from 'node:util'
import { HarnessError } from '../errors.ts'
import { fingerprint } from './fingerprint.ts'
import type { Operation } from './history.ts'
import type { Model } from './model.ts'

/** States that a check may still visit; shared by all searches of the check. */
export interface Budget {
  readonly limit: number
  left: number
}

/** A node of the list of events that are not yet linearized, in the order of time. */
interface Event<Input, Output> {
  readonly operation: Operation<Input, Output>
  readonly index: number
  /** For a call: its answer, unless the outcome is unknown. For an answer: undefined, as `isCall` is false. */
  readonly answer: Event<Input, Output> | undefined
  readonly isCall: boolean
  previous: Event<Input, Output> | undefined
  next: Event<Input, Output> | undefined
}

interface Placed<State, Input, Output> {
  readonly call: Event<Input, Output>
  readonly stateBefore: State
}

/**
 * The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with the cache and the list of Lowe
 * ("Testing for Linearizability", 2017): place one of the operations that no other one precedes, and go back when an
 * answer is reached whose operation is not placed. A pair of placed set and state is entered once.
 *
 * Operations with unknown outcome have no answer: they may be placed at any time after their call, or never.
 * Answers the operations in a sequential order that explains all answers, or undefined when there is none.
 */
export function findLinearization<State, Input, Output>(
  operations: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
  budget: Budget,
): Operation<Input, Output>[] | undefined {
  const head = eventList(operations)
  const placedSet = new PlacedSet(operations.length)
  const seen = new Map<string, State[]>()
  const placed: Placed<State, Input, Output>[] = []
  let state = model.initial
  let event = head.next

  while (event !== undefined) {
    if (event.isCall) {
      const next = tryCall(event, state, model)
      if (next !== undefined) {
        placedSet.add(event.index)
        if (enter(seen, placedSet.key(), next.state, budget)) {
          placed.push({ call: event, stateBefore: state })
          state = next.state
          lift(event)
          event = head.next
          continue
        }
        placedSet.delete(event.index)
      }
      event = event.next
      continue
    }
    const last = placed.pop()
    if (last === undefined) return undefined
    placedSet.delete(last.call.index)
    state = last.stateBefore
    unlift(last.call)
    event = last.call.next
  }
  // No answer is left in the list: all known operations are placed.
  return placed.map(({ call }) => call.operation)
}

function tryCall<State, Input, Output>(
  { operation }: Event<Input, Output>,
  state: State,
  model: Model<State, Input, Output>,
): { readonly state: State } | undefined {
  const { outcome, input } = operation
  const applied = model.apply(state, input)
  if (outcome.kind === 'ok') return equal(applied.output, outcome.output) ? applied : undefined
  // An unknown operation that changes nothing explains nothing: leaving it out is as good.
  return equal(applied.state, state) ? undefined : applied
}

function enter<State>(seen: Map<string, State[]>, placed: string, state: State, budget: Budget): boolean {
  // Without the fingerprint, states that depend on the order (a log) would all be held against each other.
  const key = `${placed}/${fingerprint(state)}`
  const states = seen.get(key)
  if (states?.some((other) => equal(other, state)) === true) return false
  if (budget.left === 0) {
    throw new HarnessError(
      'SEARCH_LIMIT_EXCEEDED',
      `the check visited maxStates = ${budget.limit} states without an answer: too many operations overlap or have ` +
        'unknown outcomes. Raise maxStates, shorten the history, or give the model a `partition`',
    )
  }
  budget.left--
  if (states === undefined) seen.set(key, [state])
  else states.push(state)
  return true
}

function equal(one: unknown, other: unknown): boolean {
  return Object.is(one, other) || (typeof one === 'object' && isDeepStrictEqual(one, other))
}

/** Calls before answers at the same moment: what touches is concurrent. */
function eventList<Input, Output>(operations: readonly Operation<Input, Output>[]): Event<Input, Output> {
  const events: { at: number; event: Event<Input, Output> }[] = []
  for (const [index, operation] of operations.entries()) {
    const end: Event<Input, Output> | undefined =
      operation.outcome.kind === 'ok'
        ? { operation, index, answer: undefined, isCall: false, previous: undefined, next: undefined }
        : undefined
    const call: Event<Input, Output> = {
      operation,
      index,
      answer: end,
      isCall: true,
      previous: undefined,
      next: undefined,
    }
    events.push({ at: operation.invoked, event: call })
    if (end !== undefined) events.push({ at: operation.returned, event: end })
  }
  events.sort((a, b) => a.at - b.at || Number(b.event.isCall) - Number(a.event.isCall))
  const [first] = operations
  const head: Event<Input, Output> = {
    operation: first as Operation<Input, Output>,
    index: -1,
    answer: undefined,
    isCall: false,
    previous: undefined,
    next: undefined,
  }
  let last = head
  for (const { event } of events) {
    event.previous = last
    last.next = event
    last = event
  }
  return head
}

function lift<Input, Output>(call: Event<Input, Output>): void {
  unlink(call)
  if (call.answer !== undefined) unlink(call.answer)
}

function unlift<Input, Output>(call: Event<Input, Output>): void {
  if (call.answer !== undefined) relink(call.answer)
  relink(call)
}

function unlink<Input, Output>(event: Event<Input, Output>): void {
  if (event.previous !== undefined) event.previous.next = event.next
  if (event.next !== undefined) event.next.previous = event.previous
}

function relink<Input, Output>(event: Event<Input, Output>): void {
  if (event.previous !== undefined) event.previous.next = event
  if (event.next !== undefined) event.next.previous = event
}

/** Which operations are placed. */
class PlacedSet {
  readonly #words: Uint32Array

  constructor(size: number) {
    this.#words = new Uint32Array(Math.ceil(size / 32))
  }

  add(index: number): void {
    this.#words[index >>> 5] = (this.#words[index >>> 5] ?? 0) | (1 << (index & 31))
  }

  delete(index: number): void {
    this.#words[index >>> 5] = (this.#words[index >>> 5] ?? 0) & ~(1 << (index & 31))
  }

  /** Short where all is placed up to some operation and little after it, as it is in a long history. */
  key(): string {
    const words = this.#words
    let from = 0
    while (from < words.length && words[from] === 0xffffffff) from++
    let to = words.length
    while (to > from && words[to - 1] === 0) to--
    let key = `${from}`
    for (let index = from; index < to; index++) key += `,${words[index]}`
    return key
  }
}
