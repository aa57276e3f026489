const nativeThen = Promise.prototype.then

/** The promise itself, unless its `then` is not that of all promises: that could do anything. */
export function ownPromise<T>(result: T | PromiseLike<T>): Promise<T> {
  // oxlint-disable-next-line unicorn/no-thenable -- compared, not defined
  if (result instanceof Promise && result.then === nativeThen) return result
  return new Promise((resolve) => resolve(result))
}

export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
