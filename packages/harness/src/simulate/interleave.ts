/**
 * The same object, but each promise that one of its methods returns settles at a scheduling point: the call acts at
 * once, and what other tasks do before its answer arrives is the choice of the schedule.
 */
export function interleave<T extends object>(target: T, step: (label: string) => Promise<void>): T {
  // A shell, because a proxy may not answer another function than the one a frozen target holds.
  const shell: T = Object.create(target)
  return new Proxy(shell, {
    get(_, property) {
      // Private fields of the target are reachable only through the target itself.
      const member: unknown = Reflect.get(target, property, target)
      if (typeof member !== 'function') return member
      return (...parameters: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(member, target, parameters)
        return isThenable(answer) ? deliver(answer, String(property), step) : answer
      }
    },
    set: (_, property, value) => Reflect.set(target, property, value, target),
  })
}

async function deliver(
  answer: PromiseLike<unknown>,
  label: string,
  step: (label: string) => Promise<void>,
): Promise<unknown> {
  try {
    return await answer
  } finally {
    await step(label)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
