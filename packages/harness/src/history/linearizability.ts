import { inspect } from 'node:util'
import { HarnessError } from '../errors.ts'
import type { Operation } from './history.ts'
import type { Model } from './model.ts'
import { type Budget, findLinearization } from './search.ts'

export interface LinearizabilityOptions {
  /** States (placed operations and state of the model) that each search may visit before SEARCH_LIMIT_EXCEEDED. Default 1,000,000. */
  readonly maxStates?: number
}

export type Linearizability<Input, Output> =
  | {
      readonly ok: true
      /** For each part, an order in which the operations, one at a time, answer what they did. */
      readonly linearizations: ReadonlyMap<string, readonly Operation<Input, Output>[]>
    }
  | {
      readonly ok: false
      /** The part that has no linearization: the model's partition, '' without one. */
      readonly part: string
      /** The operation whose answer ends the shortest prefix that has no linearization. */
      readonly culprit: Operation<Input, Output>
      /** That prefix: what was called up to the culprit's answer; answers that came later are unknown (`info`). */
      readonly prefix: readonly Operation<Input, Output>[]
      /** All that in words. */
      readonly explanation: string
    }

/**
 * Whether one order of the operations, which respects that what ended before another began comes first, explains all
 * answers (Herlihy and Wing 1990). `fail` operations are left out; `info` ones may have happened or not.
 */
export function checkLinearizability<State, Input, Output>(
  operations: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
  options: LinearizabilityOptions = {},
): Linearizability<Input, Output> {
  const { maxStates = 1_000_000 } = options
  if (!Number.isSafeInteger(maxStates) || maxStates < 1) {
    throw new HarnessError(
      'BAD_OPTION',
      `maxStates needs a whole number from 1, but got ${String(maxStates)}`,
    )
  }
  const linearizations = new Map<string, readonly Operation<Input, Output>[]>()
  for (const [part, members] of partitions(operations, model)) {
    const budget = { limit: maxStates, left: maxStates }
    const linearization = findLinearization(members, model, budget)
    if (linearization === undefined) return failureIn(part, members, model, maxStates)
    linearizations.set(part, linearization)
  }
  return { ok: true, linearizations }
}

/** As {@link checkLinearizability}, but throws HISTORY_VIOLATED with the explanation. */
export function assertLinearizable<State, Input, Output>(
  operations: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
  options: LinearizabilityOptions = {},
): void {
  const verdict = checkLinearizability(operations, model, options)
  if (!verdict.ok) throw new HarnessError('HISTORY_VIOLATED', verdict.explanation)
}

function partitions<State, Input, Output>(
  operations: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
): Map<string, Operation<Input, Output>[]> {
  const parts = new Map<string, Operation<Input, Output>[]>()
  for (const operation of operations) {
    if (!(operation.invoked <= operation.returned)) {
      throw new HarnessError(
        'BAD_OPTION',
        `history: an operation of process ${JSON.stringify(operation.process)} was invoked at ${operation.invoked} ` +
          `and returned at ${operation.returned}; an answer cannot come before its call`,
      )
    }
    if (operation.outcome.kind === 'fail') continue
    const part = model.partition?.(operation.input) ?? ''
    const members = parts.get(part)
    if (members === undefined) parts.set(part, [operation])
    else members.push(operation)
  }
  return parts
}

/** Prefixes of a linearizable history are linearizable, so the shortest bad one is found by halving. */
function failureIn<State, Input, Output>(
  part: string,
  members: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
  maxStates: number,
): Linearizability<Input, Output> {
  const ended = members
    .filter(({ outcome }) => outcome.kind === 'ok')
    .toSorted((a, b) => a.returned - b.returned)
  const linearize = (count: number): Operation<Input, Output>[] | undefined => {
    const budget: Budget = { limit: maxStates, left: maxStates }
    return findLinearization(prefixOf(members, ended.slice(0, count)), model, budget)
  }
  let good = 0
  let bad = ended.length
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1
    if (linearize(middle) === undefined) bad = middle
    else good = middle
  }
  const culprit = ended[bad - 1] as Operation<Input, Output>
  const prefix = prefixOf(members, ended.slice(0, bad))
  const before = linearize(good) ?? []
  return { ok: false, part, culprit, prefix, explanation: explain(part, culprit, prefix, before, model) }
}

/** What an observer knew when the last of `answered`, which are in the order of their answers, had answered. */
function prefixOf<Input, Output>(
  members: readonly Operation<Input, Output>[],
  answered: readonly Operation<Input, Output>[],
): Operation<Input, Output>[] {
  const known = new Set(answered)
  const end = answered.at(-1)?.returned ?? -Infinity
  return members
    .filter(({ invoked }) => invoked <= end)
    .map((operation) =>
      known.has(operation) ? operation : { ...operation, outcome: { kind: 'info' }, returned: Infinity },
    )
}

const shownOperations = 20

function explain<State, Input, Output>(
  part: string,
  culprit: Operation<Input, Output>,
  prefix: readonly Operation<Input, Output>[],
  before: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
): string {
  const concurrent = prefix.filter((other) => other !== culprit && other.returned >= culprit.invoked)
  const shown = before.slice(-shownOperations)
  let state = model.initial
  for (const { input } of before) state = model.apply(state, input).state
  return [
    `not linearizable as ${model.name}${part === '' ? '' : `, part ${JSON.stringify(part)}`}: no place for`,
    `  ${print(culprit)}`,
    `overlapping it: ${concurrent.length === 0 ? 'nothing' : ''}`.trimEnd(),
    ...concurrent.slice(0, shownOperations).map((operation) => `  ${print(operation)}`),
    `before its answer, this order explained the ${prefix.length - 1} others` +
      (shown.length < before.length ? ` (the last ${shown.length}):` : ':'),
    ...shown.map((operation) => `  ${print(operation)}`),
    `  which leaves ${show(state)}`,
  ].join('\n')
}

function print<Input, Output>({
  process,
  input,
  outcome,
  invoked,
  returned,
}: Operation<Input, Output>): string {
  const answer = outcome.kind === 'ok' ? show(outcome.output) : 'unknown'
  return `[${invoked}, ${returned === Infinity ? '∞' : returned}] ${process}: ${show(input)} → ${answer}`
}

function show(value: unknown): string {
  return inspect(value, { breakLength: Infinity, compact: true, depth: 4 })
}
