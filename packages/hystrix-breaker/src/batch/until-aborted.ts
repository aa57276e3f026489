/** As `promise`, but rejected with the reason of `signal` where that is aborted first; `left` is called then. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, left: () => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const leave = (): void => {
      left()
      reject(signal.reason)
    }
    if (signal.aborted) {
      promise.catch(() => {})
      leave()
      return
    }
    signal.addEventListener('abort', leave, { once: true })
    promise.finally(() => signal.removeEventListener('abort', leave)).then(resolve, reject)
  })
}
