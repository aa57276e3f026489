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

/** A request as it was received: `body` is null where it has more bytes than are allowed. */
export interface ReceivedRequest extends Omit<HttpRequest, 'body'> {
  readonly body: Uint8Array | null
}

/** A response whose body may still be in the making. */
export interface LiveResponse extends Omit<HttpResponse, 'body'> {
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}

/** The lines of a header, in their order. */
export function linesOf(headers: HeaderLines, name: string): string[] {
  return headers.filter(([each]) => each === name).map(([, value]) => value)
}
