const nativeThen = Promise.prototype.then

/** The promise itself, unless its `then` is not that of all promises: that could do anything. */
export function ownPromise<T>(result: T | PromiseLike<T>): Promise<T> {
  // oxlint-disable-next-line unicorn/no-thenable -- compared, not defined
  if (result instanceof Promise && result.then === nativeThen) return result
  return new Promise((resolve) => resolve(result))
}

/** Hands on what `run` gives or throws, at once or when its promise settles. */
export function follow<T>(
  run: () => T | PromiseLike<T>,
  succeeded: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  try {
    const result = run()
    if (isThenable(result)) ownPromise(result).then(succeeded, failed)
    else succeeded(result)
  } catch (error) {
    failed(error)
  }
}

export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
