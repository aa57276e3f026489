// The forms of identifiers, as `openfga/openfga:pkg/tuple/tuple.go` reads them. All loops are over characters once: input of any length is linear.

/** `type:id` at its first colon; without one, all of it is the id. */
export function splitObject(object: string): { readonly type: string; readonly id: string } {
  const colon = object.indexOf(':')
  return colon === -1
    ? { type: '', id: object }
    : { type: object.slice(0, colon), id: object.slice(colon + 1) }
}

/** The type of `type:id`, `type:*` or `type:id#relation`; empty without a colon. */
export function typeOf(object: string): string {
  const colon = object.indexOf(':')
  return colon === -1 ? '' : object.slice(0, colon)
}

/** A user at its last `#`; `relation` is empty where it is no userset. */
export function splitUser(user: string): { readonly object: string; readonly relation: string } {
  const hash = user.lastIndexOf('#')
  return hash === -1
    ? { object: user, relation: '' }
    : { object: user.slice(0, hash), relation: user.slice(hash + 1) }
}

/** Whether it has a type and its id is `*`. */
export function isTypedWildcard(user: string): boolean {
  const colon = user.indexOf(':')
  return colon > 0 && user.length === colon + 2 && user.charCodeAt(colon + 1) === star
}

/** Exactly one `:`, not first, an id after it, no `#`, no space. `type:*` is one too. */
export function isValidObject(text: string): boolean {
  const colon = text.indexOf(':')
  return colon > 0 && isName(text, 0, colon, 0) && isName(text, colon + 1, text.length, 0)
}

/** `type:id#relation`, without a `*` after its `:`. */
export function isValidUserset(text: string): boolean {
  const colon = text.indexOf(':')
  const hash = text.indexOf('#')
  return (
    colon > 0 &&
    hash > colon &&
    isName(text, 0, colon, 0) &&
    isName(text, colon + 1, hash, star) &&
    isName(text, hash + 1, text.length, star)
  )
}

/** No `:`, `#`, `@` or space. */
export function isValidRelation(text: string): boolean {
  return isName(text, 0, text.length, at)
}

/** Whether a text has more characters than that, as objects and the users of questions are measured. */
export function countedOver(text: string, characters: number): boolean {
  return text.length > characters && Array.from(text.slice(0, 2 * characters + 2)).length > characters
}

/** What may stand as a user: an object, a typed wildcard, a userset, or an id without a type, which no model takes. */
export function isValidUser(text: string): boolean {
  return isName(text, 0, text.length, 0) || isValidObject(text) || isValidUserset(text)
}

/** Unicode's category Cc, and what is no text at all: half of a surrogate pair. */
export function hasForbiddenCharacters(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (isControl(text.charCodeAt(at))) return true
  return !text.isWellFormed()
}

const space = 0x20
const hash = 0x23
const star = 0x2a
const colon = 0x3a
const at = 0x40

/** Whether `text` from `from` to `to` is not empty and has no `:`, `#`, space, `forbidden` or forbidden character. */
function isName(text: string, from: number, to: number, forbidden: number): boolean {
  for (let index = from; index < to; index++) {
    const unit = text.charCodeAt(index)
    if (unit === colon || unit === hash || unit === space || unit === forbidden || isControl(unit))
      return false
    // A high half must be followed by its low half, and a low half must follow one.
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const low = unit < 0xdc00 && index + 1 < to ? text.charCodeAt(index + 1) : 0
      if (low < 0xdc00 || low > 0xdfff) return false
      index++
    }
  }
  return to > from
}

function isControl(unit: number): boolean {
  return unit < 0x20 || (unit >= 0x7f && unit <= 0x9f)
}
