import type { SecretTexts } from '../secret/secret-texts.ts'
import { redactedText, showRedacted } from '../value/secret.ts'
import type { DeepReadonly } from './standard-schema.ts'

/**
 * Freezes what a schema made, as far as it is plain objects and arrays. Where a text of a secret is in one of them,
 * however the schema moved it, inspection and JSON show `***` in its place; what the schema froze is copied for that.
 */
export function sealOutput<Output>(output: Output, secrets: SecretTexts): DeepReadonly<Output>
export function sealOutput(output: unknown, secrets: SecretTexts): unknown {
  return new Seal(secrets).on(output)
}

class Seal {
  readonly #secrets: SecretTexts
  /** What became of each container; while it is being sealed, the container itself. */
  readonly #sealed = new Map<object, object>()
  readonly #holding = new Set<object>()

  constructor(secrets: SecretTexts) {
    this.#secrets = secrets
  }

  on(value: unknown): unknown {
    if (!isPlain(value)) return value
    const known = this.#sealed.get(value)
    if (known !== undefined) return known
    this.#sealed.set(value, value)
    const parts = Object.entries(value).map(([key, each]) => [key, each, this.on(each)] as const)
    const holds = parts.some(([, , part]) => this.#holds(part))
    const isChanged = parts.some(([, before, after]) => before !== after)
    const isShown = holds && !Object.hasOwn(value, 'toJSON')
    const made = Object.isFrozen(value) && (isChanged || isShown) ? copyOf(value) : value
    if (isChanged) for (const [key, , part] of parts) define(made, key, part)
    if (isShown && Object.isExtensible(made)) showRedacted(made, () => redactedOf(made, this.#secrets))
    if (holds) this.#holding.add(made)
    this.#sealed.set(value, made)
    return Object.freeze(made)
  }

  #holds(value: unknown): boolean {
    return isPlain(value) ? this.#holding.has(value) : this.#secrets.shows(value)
  }
}

function copyOf(value: object): object {
  if (Array.isArray(value)) return [...value]
  const copy = {}
  for (const [key, each] of Object.entries(value)) define(copy, key, each)
  return copy
}

function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
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
