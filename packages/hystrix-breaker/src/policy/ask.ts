import type { PipelineParts } from './policy.ts'

/** What the user's `predicate` says; `otherwise` where it throws, which is told. */
export function ask<T>(
  { name, emitter }: PipelineParts,
  option: string,
  predicate: (value: T) => boolean,
  value: T,
  otherwise: boolean,
): boolean {
  try {
    return predicate(value)
  } catch (error) {
    emitter.emit('error', () => ({ name, option, error }))
    return otherwise
  }
}
