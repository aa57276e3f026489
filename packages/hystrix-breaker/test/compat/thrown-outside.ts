/** What is thrown outside of everything while `body` runs: uncaught exceptions, taken away from whoever else listens. */
export async function thrownOutside(body: () => Promise<unknown>): Promise<unknown[]> {
  const thrown: unknown[] = []
  const others = process.listeners('uncaughtException')
  const take = (error: unknown): unknown => thrown.push(error)
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', take)
  try {
    await body()
    await new Promise((resolve) => setImmediate(resolve))
    return thrown
  } finally {
    process.off('uncaughtException', take)
    for (const other of others) process.on('uncaughtException', other)
  }
}
