import { createHash } from 'node:crypto'

export interface CircuitKeys {
  /** Names the circuit in messages. */
  readonly tag: string
  /** The record, the reports, the probe lease. All in one slot of a Redis Cluster. */
  readonly keys: [string, string, string]
}

/**
 * The keys of the circuit `name`. A name that is long, or holds what a hash tag or a message cannot, stands there as a
 * hash, of its UTF-16 code units: no two names share one.
 */
export function circuitKeys(prefix: string, name: string): CircuitKeys {
  const tag = /^[\w.:/-]{1,128}$/.test(name)
    ? name
    : `#${createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('base64url')}`
  const record = `${prefix}{${tag}}`
  return { tag, keys: [record, `${record}:reports`, `${record}:probe`] }
}
