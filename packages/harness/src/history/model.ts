import { isDeepStrictEqual } from 'node:util'

/** What an object does when called by one process at a time. States are values: `apply` never changes one. */
export interface Model<State, Input, Output> {
  readonly name: string
  readonly initial: State
  /** The state after `input`, and what the caller is answered. */
  apply(state: State, input: Input): { readonly state: State; readonly output: Output }
  /**
   * The part of the object that `input` concerns. Parts that share nothing are checked apart, which is sound by
   * Herlihy and Wing's locality, and far faster. Default: one part.
   */
  partition?(input: Input): string
}

export type RegisterInput<Value> = { readonly op: 'read' } | { readonly op: 'write'; readonly value: Value }

/** `read` answers the value last written; `write` answers undefined. */
export function register<Value>(initial: Value): Model<Value, RegisterInput<Value>, Value | undefined> {
  return {
    name: 'register',
    initial,
    apply: (state, input) =>
      input.op === 'read' ? { state, output: state } : { state: input.value, output: undefined },
  }
}

export type CompareAndSetInput<Value> =
  | RegisterInput<Value>
  | { readonly op: 'cas'; readonly expected: Value; readonly value: Value }

/** A register whose `cas` writes `value` if it holds `expected`, and answers whether it did. */
export function compareAndSetRegister<Value>(
  initial: Value,
): Model<Value, CompareAndSetInput<Value>, Value | boolean | undefined> {
  const plain = register(initial)
  return {
    name: 'compare-and-set register',
    initial,
    apply: (state, input) => {
      if (input.op !== 'cas') return plain.apply(state, input)
      const output = isDeepStrictEqual(state, input.expected)
      return { state: output ? input.value : state, output }
    },
  }
}

export interface LockInput {
  readonly op: 'acquire' | 'release'
  readonly owner: string
}

/**
 * A lock that is tried: `acquire` answers whether the lock was free, `release` whether the caller held it. A blocking
 * `acquire` fits as well: it only ever answers true.
 */
export const lock: Model<string | null, LockInput, boolean> = {
  name: 'lock',
  initial: null,
  apply: (holder, { op, owner }) => {
    if (op === 'acquire') return { state: holder ?? owner, output: holder === null }
    return { state: holder === owner ? null : holder, output: holder === owner }
  },
}

export interface KeyedInput<Input> {
  readonly key: string
  readonly input: Input
}

/** One object of `model` for each key. */
export function byKey<State, Input, Output>(
  model: Model<State, Input, Output>,
): Model<State, KeyedInput<Input>, Output> {
  return {
    name: `${model.name} by key`,
    initial: model.initial,
    // Each part holds one key, so its state is that of the one object.
    apply: (state, { input }) => model.apply(state, input),
    partition: ({ key }) => key,
  }
}
