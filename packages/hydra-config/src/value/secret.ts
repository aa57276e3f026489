import { pythonString } from './python-string.ts'
import {
  type ListValue,
  type MapValue,
  type Origin,
  type Scalar,
  type ScalarValue,
  scalar,
  type Value,
} from './value.ts'

/** What is shown in the place of a secret. */
export const redactedText: string = '***'

/**
 * Marks a value as secret, a container with all its values: it is used as it is, and shown as `***` wherever it would
 * be written out. For what a resolver answers: `vault: (key) => secret(read(key))`.
 */
export function secret(value: Value | Scalar): Value {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return new Secret(value)
  if (value.kind !== 'scalar') return withItems(value, secret)
  return value.secret === true ? value : new Secret(value.value, value.origin, redactedText, value)
}

/** Whether the value is secret, or holds one that is. */
export function hasSecret(value: Value): boolean {
  if (value.kind === 'scalar') return value.secret === true
  if (value.kind === 'list') return value.items.some(hasSecret)
  return value.entries.values().some(hasSecret)
}

/** The value to be written out: secrets are the strings that are shown for them. What has none is returned as it is. */
export function redact(value: Value): Value {
  if (!hasSecret(value)) return value
  if (value.kind !== 'scalar') return withItems(value, redact)
  return scalar(value.shown ?? redactedText, value.origin)
}

function withItems(value: ListValue | MapValue, change: (item: Value) => Value): Value {
  if (value.kind === 'list') return { ...value, items: value.items.map(change) }
  const entries = value.entries.entries().map(([key, item]) => [key, change(item)] as const)
  return { ...value, entries: new Map(entries) }
}

/** Python's `str()` of a value for a message or a name: without the secrets in it. */
export function shownText(value: Value): string {
  return pythonString(redact(value))
}

/** The texts and Python's `str()` of the values in a row; secret where one of them is, and then shown in part. */
export function joinText(parts: readonly (string | Value)[], origin?: Origin): ScalarValue {
  const text = parts.map((part) => (typeof part === 'string' ? part : pythonString(part))).join('')
  if (!parts.some((part) => typeof part !== 'string' && hasSecret(part))) return scalar(text, origin)
  const shown = parts.map((part) => (typeof part === 'string' ? part : shownText(part))).join('')
  return new Secret(text, origin, shown)
}

/** A secret text with what is shown in its place. */
export function shownAs(text: string, shown: string, origin?: Origin): ScalarValue {
  return new Secret(text, origin, shown)
}

/** The same scalar at another origin: a secret cannot be copied by spreading it. */
export function withOrigin(value: ScalarValue, origin: Origin | undefined): ScalarValue {
  return changed(value, { origin })
}

/** The scalar with some of its parts others; what is made of a secret is one. */
export function changed(
  value: ScalarValue,
  change: Partial<Pick<ScalarValue, 'value' | 'origin' | 'as' | 'typing'>>,
): ScalarValue {
  if (value.secret !== true) return { ...value, ...change }
  const { value: inner, origin, as, typing, shown } = value
  const made = { value: inner, origin, as, typing, ...change }
  return new Secret(made.value, made.origin, shown, made)
}

/** Lets inspection and JSON show of `target` what `redacted` gives. */
export function showRedacted(target: object, redacted: () => unknown): void {
  Object.defineProperties(target, {
    toJSON: { value: redacted },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: redacted },
  })
}

// The value is private so that neither inspection nor serialization of the tree finds it.
class Secret implements ScalarValue {
  readonly kind = 'scalar'
  readonly secret = true
  readonly shown: string
  readonly origin: Origin | undefined
  readonly as: ScalarValue['as']
  readonly typing: ScalarValue['typing']
  readonly #value: Scalar

  constructor(
    value: Scalar,
    origin?: Origin,
    shown: string = redactedText,
    { as, typing }: Pick<ScalarValue, 'as' | 'typing'> = {},
  ) {
    this.#value = value
    this.origin = origin
    this.shown = shown
    this.as = as
    this.typing = typing
    // An inspection that calls getters would find the value.
    showRedacted(this, () => ({ kind: this.kind, value: shown, secret: true, origin }))
  }

  get value(): Scalar {
    return this.#value
  }
}
