import { HydraConfigError } from '../errors.ts'

/** What a `_target_` may name: a class or a function. */
export type Target = (new (...args: never[]) => unknown) | ((...args: never[]) => unknown)

/** Targets by the names that configs use for them. */
export type Targets = Readonly<Record<string, Target>>

/** What a target makes. */
export type Made<T> = T extends new (
  ...args: never[]
) => infer Instance
  ? Instance
  : T extends (...args: never[]) => infer Result
    ? Result
    : never

/** The targets that {@link instantiate} may use; nothing else is ever looked up, nor imported. */
export interface Registry<T extends Targets> {
  readonly names: readonly (keyof T & string)[]
  get(name: string): Target | undefined
}

/**
 * Makes a registry of classes and functions.
 * @throws {HydraConfigError} `INVALID_OPTION` where one is neither
 */
export function registry<const T extends Targets>(targets: T): Registry<T> {
  const known = new Map<string, Target>(Object.entries(targets))
  for (const [name, target] of known) {
    if (typeof target === 'function') continue
    throw new HydraConfigError(
      'INVALID_OPTION',
      `the target '${name}' of the registry must be a class or a function, not ${typeof target}`,
    )
  }
  return { names: [...known.keys()], get: (name) => known.get(name) }
}
