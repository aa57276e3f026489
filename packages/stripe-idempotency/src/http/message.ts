/** Names in lower case; of several lines with one name each stands alone. */
export type HeaderLines = readonly (readonly [name: string, value: string])[]

/** A request as this package looks at it. */
export interface HttpRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Behind the `?`, without it. */
  readonly query: string
  readonly headers: HeaderLines
  readonly body: Uint8Array
}

export interface HttpResponse {
  readonly status: number
  readonly headers: HeaderLines
  readonly body: Uint8Array
}

/** The lines of a header, in their order. */
export function linesOf(headers: HeaderLines, name: string): string[] {
  return headers.filter(([each]) => each === name).map(([, value]) => value)
}
