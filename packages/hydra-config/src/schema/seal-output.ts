import type { SecretTexts } from '../secret/secret-texts.ts'
import { showRedacted } from '../value/plain.ts'
import { redactedText } from '../value/secret.ts'
import type { DeepReadonly } from './standard-schema.ts'

/**
 * Freezes what a schema made, as far as it is plain objects and arrays. Where a text of a secret is in one of them,
 * however the schema moved it, inspection and JSON show `***` in its place.
 */
export function sealOutput<Output>(output: Output, secrets: SecretTexts): DeepReadonly<Output>
export function sealOutput(output: unknown, secrets: SecretTexts): unknown {
  new Seal(secrets).on(output)
  return output
}

class Seal {
  readonly #secrets: SecretTexts
  readonly #seen = new Set<object>()

  constructor(secrets: SecretTexts) {
    this.#secrets = secrets
  }

  /** Whether the value holds a text of a secret. */
  on(value: unknown): boolean {
    if (!isPlain(value)) return this.#secrets.shows(value)
    if (this.#seen.has(value)) return false
    this.#seen.add(value)
    if (Object.isFrozen(value)) return Object.hasOwn(value, 'toJSON')
    let holds = false
    for (const each of Object.values(value)) holds = this.on(each) || holds
    if (holds && Object.isExtensible(value)) showRedacted(value, () => redactedOf(value, this.#secrets))
    Object.freeze(value)
    return holds
  }
}

function redactedOf(value: unknown, secrets: SecretTexts): unknown {
  if (secrets.shows(value)) return typeof value === 'string' ? secrets.scrub(value) : redactedText
  if (Array.isArray(value)) return value.map((each) => redactedOf(each, secrets))
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redactedOf(each, secrets)]))
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
