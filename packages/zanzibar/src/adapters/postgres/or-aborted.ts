/** Goes on at once when the signal says so; what the server answers then is of no use to anybody. */
export async function orAborted<Result>(answering: Promise<Result>, signal?: AbortSignal): Promise<Result> {
  if (signal === undefined) return await answering
  let abort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([answering, aborted])
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort)
  }
}
