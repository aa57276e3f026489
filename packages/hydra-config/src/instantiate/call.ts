import type { Target } from './registry.ts'

/** Calls a function, or constructs a class: positional arguments first, then one object of the named ones. */
export function call(target: Target, args: readonly unknown[], kwargs: object): unknown {
  // A target without any argument gets its object as well, so that it can take it apart.
  const hasNamed = Object.keys(kwargs).length > 0 || args.length === 0
  const all = hasNamed ? [...args, kwargs] : [...args]
  return isClass(target) ? Reflect.construct(target, all) : Reflect.apply(target, undefined, all)
}

/** A function of the arguments that are left; of an object at the end its keys go over those that are there. */
export function partial(
  run: (args: readonly unknown[], kwargs: object) => unknown,
  args: readonly unknown[],
  kwargs: object,
): (...rest: readonly unknown[]) => unknown {
  return (...rest) => {
    const last = rest.at(-1)
    if (!isPlain(last)) return run([...args, ...rest], kwargs)
    const merged = Object.defineProperties(
      {},
      {
        ...Object.getOwnPropertyDescriptors(kwargs),
        ...Object.getOwnPropertyDescriptors(last),
      },
    )
    return run([...args, ...rest.slice(0, -1)], merged)
  }
}

/** A class cannot be called; its prototype cannot be replaced, which that of a function can. */
function isClass(target: Target): target is new (...args: never[]) => unknown {
  return Object.getOwnPropertyDescriptor(target, 'prototype')?.writable === false
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
