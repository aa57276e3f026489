import type { HttpResponse } from '../http/message.ts'
import type { KeyRules } from '../key/idempotency-key.ts'

/** Why a request was not carried out, and its answer not replayed. */
export type Problem =
  | { readonly kind: 'key-missing' }
  | { readonly kind: 'key-invalid'; readonly message: string }
  /** `path` is that of this request, `firstPath` the one the key was first used for. */
  | {
      readonly kind: 'endpoint-mismatch'
      readonly key: string
      readonly path: string
      readonly firstPath: string
    }
  | { readonly kind: 'content-mismatch'; readonly key: string }
  | { readonly kind: 'in-use'; readonly key: string }
  | { readonly kind: 'uncertain'; readonly key: string; readonly recordId: string }
  | {
      readonly kind: 'response-unavailable'
      readonly key: string
      readonly recordId: string
      readonly status: number | null
    }
  | { readonly kind: 'store-unavailable' }
  | { readonly kind: 'body-too-large'; readonly maxBytes: number }

/** A contract of idempotency keys over HTTP. */
export interface Mode {
  readonly name: string
  /** Methods on which a key has an effect. */
  readonly methods: ReadonlySet<string>
  readonly key: KeyRules
  /** An API whose keys are its own: the same key under another one is another key. Default: shared by all without. */
  readonly keySpace?: string
  /** What becomes of a request without a key. */
  readonly withoutKey: 'pass' | 'refuse' | 'generate'
  /** For how long an answer is kept at least, in milliseconds. */
  readonly retention: number
  /** Whether an answer of this status is the answer to its key from now on. */
  readonly keeps: (status: number) => boolean
  /** What becomes of a key whose answer is not kept: it is as new, or goes on where it stopped. */
  readonly otherwise: 'release' | 'leave'
  /** Headers, in lower case, that make it another request where they differ. Default: none. */
  readonly comparedHeaders?: readonly string[]
  /**
   * What becomes of a request that was answered: its answer again, or what `refresh` makes of it, or the problem
   * `response-unavailable`. Default: `replayed`.
   */
  readonly repeats?: 'replayed' | 'refreshable' | 'refused'
  /** Whether each request has an id, that answers tell (`Request-Id`, `Original-Request`). */
  readonly requestIds: boolean
  /**
   * Whether answers tell until when they are kept (`Idempotency-Expires`, an HTTP date: an experiment of ours, the draft asks
   * for such a header and names none). Default: false. An answer that is streamed while it is made does not tell.
   */
  readonly tellsExpiry?: boolean
  /** Whether answers tell the client if it should try again (`Stripe-Should-Retry`). */
  readonly shouldRetry: boolean
  readonly answer: (problem: Problem) => HttpResponse
}
