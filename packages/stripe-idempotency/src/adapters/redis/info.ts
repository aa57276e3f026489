import { IdempotencyError } from '../../errors.ts'
import type { Port } from './client.ts'

/**
 * A section of what Redis tells of itself.
 *
 * @throws IdempotencyError `store_unavailable`
 */
export async function infoOf(port: Port, section: string): Promise<ReadonlyMap<string, string>> {
  let text: string
  try {
    text = await port.info(section)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IdempotencyError('store_unavailable', `Redis did not answer INFO ${section}: ${reason}`, {
      cause,
    })
  }
  return new Map(
    text.split('\r\n').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)]
    }),
  )
}
