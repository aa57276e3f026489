import { createHmac } from 'node:crypto'

/**
 * The key of something that a phase asks of somebody else. The id of a record is random and nobody else's, so it serves
 * as the secret: no tenant can meet another one's key, or guess it from his own. A key that has expired and comes again
 * has a new record, and so another foreign key.
 */
export function foreignKeyOf(recordId: string, what: string): string {
  return createHmac('sha256', recordId).update(what).digest('base64url')
}
