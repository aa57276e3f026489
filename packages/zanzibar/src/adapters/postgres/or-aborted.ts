/** Goes on at once when the signal says so; what the server answers then is of no use to anybody. */
export function orAborted<Result>(answering: Promise<Result>, signal?: AbortSignal): Promise<Result> {
  if (signal === undefined) return answering
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    void answering.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
