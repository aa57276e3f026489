/** What can end a run early. */
export type DeskErrorCode =
  | 'MISSING_FILE'
  | 'BROKEN_FILE'
  | 'BROKEN_RECORD'
  | 'WORKER_FAILED'
  | 'NO_WORKER_LEFT'
  | 'SERVICE_FAILED'
  | 'BOOKS_FAILED'
  | 'INTERRUPTED'

/** An end of the run that is explained by its one line of message, without a stack. */
export class DeskError extends Error {
  override readonly name = 'DeskError'
  readonly code: DeskErrorCode

  constructor(code: DeskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The message of whatever was thrown, on one line. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim()
}
