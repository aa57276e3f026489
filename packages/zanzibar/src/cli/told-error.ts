/** What is said of an error; of an optional peer that is not installed, how to have it. */
export function toldError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const missing = /^Cannot find package '([^']+)'/.exec(message)?.[1]
  return missing === undefined
    ? message
    : `this takes the package '${missing}', which is not installed: npm i ${missing}`
}
