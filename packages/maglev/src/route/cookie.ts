/** The value of a cookie in the `cookie` headers of a request, without quotes; undefined where it is not there. */
export function readCookie(headers: readonly string[], name: string): string | undefined {
  for (const part of headers.flatMap((header) => header.split(';'))) {
    const equals = part.indexOf('=')
    if (equals < 0 || part.slice(0, equals).replace(/^ +/, '') !== name) continue
    const value = part.slice(equals + 1)
    return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
  }
  return undefined
}

export interface CookieAttributes {
  /** Whole seconds; 0 lasts as long as the browser runs. */
  readonly maxAge: number
  readonly path: string | undefined
  readonly attributes: readonly (readonly [name: string, value: string])[]
}

/** A `Set-Cookie` value, worded as Envoy does. Source: envoyproxy/envoy, http/utility.cc, `makeSetCookieValue`. */
export function setCookie(
  name: string,
  value: string,
  { maxAge, path, attributes }: CookieAttributes,
): string {
  return [
    `${name}="${value}"`,
    ...(maxAge > 0 ? [`Max-Age=${maxAge}`] : []),
    ...(path ? [`Path=${path}`] : []),
    ...attributes.map(([attribute, text]) => (text === '' ? attribute : `${attribute}=${text}`)),
    'HttpOnly',
  ].join('; ')
}
