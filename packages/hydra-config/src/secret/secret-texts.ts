import { scalarString } from '../value/python-string.ts'
import { redactedText } from '../value/secret.ts'
import type { Value } from '../value/value.ts'

const lengthTelling = 4

/** The texts of the secrets in some values, to be kept out of what others write about them. */
export class SecretTexts {
  readonly #texts: readonly string[]

  constructor(values: readonly Value[]) {
    const texts = new Set<string>()
    for (const value of values) collect(value, texts)
    texts.delete('')
    // The longest first: a part of a secret that is a secret too is not cut out of it.
    this.#texts = [...texts].toSorted((a, b) => b.length - a.length)
  }

  /** The text with `***` for every secret in it. */
  scrub(text: string): string {
    return this.#texts.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, redactedText), text)
  }

  has(text: string): boolean {
    return this.#texts.some((secret) => text.includes(secret))
  }

  /** Whether a scalar is a secret, or a text with one in it that is long enough to be no accident. */
  shows(value: unknown): boolean {
    if (typeof value === 'number' || typeof value === 'bigint') return this.#texts.includes(String(value))
    if (typeof value !== 'string') return false
    return this.#texts.some(
      (secret) => value === secret || (secret.length >= lengthTelling && value.includes(secret)),
    )
  }

  /** Whether the error, or what caused it, tells a secret. */
  isIn(error: unknown): boolean {
    if (this.#texts.length === 0) return false
    if (!(error instanceof Error)) return this.has(String(error))
    const ownTexts = Object.values(error).map((each) => safeJson(each))
    const texts = [error.message, error.stack ?? '', ...ownTexts]
    return texts.some((text) => this.has(text)) || (error.cause !== undefined && this.isIn(error.cause))
  }
}

function collect(value: Value, texts: Set<string>): void {
  if (value.kind === 'list') for (const item of value.items) collect(item, texts)
  else if (value.kind === 'map') for (const item of value.entries.values()) collect(item, texts)
  else if (value.secret === true && value.value !== null && typeof value.value !== 'boolean') {
    const text = scalarString(value.value)
    texts.add(text)
    // As it stands inside of JSON or another quoted text.
    texts.add(JSON.stringify(text).slice(1, -1))
  }
}

/** JSON of anything; what JSON cannot hold is taken for a secret by its text. */
function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)) ?? ''
  } catch {
    return String(value)
  }
}
