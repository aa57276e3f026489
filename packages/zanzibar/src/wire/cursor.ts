import { ZanzibarError } from '../errors.ts'

/** Which list a continuation token belongs to. */
export type CursorKind = 'stores' | 'models' | 'tuples' | 'changes'

/** Where a list goes on. Opaque to clients, and only of use for the list that gave it. */
export interface Cursor {
  readonly after: string
  /** The type of the changes that were asked for. */
  readonly type?: string
}

export function writeCursor(kind: CursorKind, { after, type = '' }: Cursor): string {
  return Buffer.from(JSON.stringify([kind, after, type])).toString('base64url')
}

/** Undefined for an empty token. @throws ZanzibarError `invalid_continuation_token` */
export function readCursor(kind: CursorKind, token: string): Required<Cursor> | undefined {
  if (token === '') return undefined
  const parts = parsed(Buffer.from(token, 'base64url').toString('utf8'))
  const [of, after, type] = Array.isArray(parts) ? (parts as unknown[]) : []
  if (of !== kind || typeof after !== 'string' || typeof type !== 'string')
    throw new ZanzibarError('invalid_continuation_token', 'Invalid continuation token')
  return { after, type }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
