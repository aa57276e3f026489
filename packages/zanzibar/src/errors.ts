/** OpenFGA's names of what can go wrong (`openfga/api:openfga/v1/errors_ignore.proto`), their numbers, and what is ours beside them. */
const numbers = {
  auth_failed_invalid_subject: 1001,
  auth_failed_invalid_audience: 1002,
  auth_failed_invalid_issuer: 1003,
  invalid_claims: 1004,
  auth_failed_invalid_bearer_token: 1005,
  bearer_token_missing: 1010,
  unauthenticated: 1500,
  forbidden: 1600,
  validation_error: 2000,
  authorization_model_not_found: 2001,
  authorization_model_resolution_too_complex: 2002,
  invalid_write_input: 2003,
  cannot_allow_duplicate_tuples_in_one_request: 2004,
  invalid_continuation_token: 2007,
  invalid_expand_input: 2010,
  write_failed_due_to_invalid_input: 2017,
  latest_authorization_model_not_found: 2020,
  type_not_found: 2021,
  relation_not_found: 2022,
  invalid_tuple: 2027,
  unknown_relation: 2028,
  assertions_too_many_items: 2033,
  tuple_key_value_not_specified: 2037,
  page_size_invalid: 2039,
  difference_base_missing_value: 2041,
  subtract_base_missing_value: 2042,
  object_too_long: 2043,
  relation_too_long: 2044,
  type_definitions_too_few_items: 2045,
  type_invalid_pattern: 2047,
  relations_invalid_pattern: 2050,
  query_string_type_continuation_token_mismatch: 2052,
  exceeded_entity_limit: 2053,
  invalid_authorization_model: 2056,
  unsupported_schema_version: 2057,
  cancelled: 2058,
  invalid_start_time: 2059,
  throttled_timeout_error: 3500,
  internal_error: 4000,
  deadline_exceeded: 4004,
  resource_exhausted: 4006,
  undefined_endpoint: 5000,
  store_id_not_found: 5002,
  unimplemented: 5004,
  /** A write met another one, or `ignore` met a tuple with another condition. */
  Aborted: 10,
  /** Ours: an option is not what its documentation asks for. */
  invalid_option: 9000,
  /** Ours: a text in the DSL, or a JSON model, that cannot be read; `positions` says where. */
  invalid_syntax: 9001,
  /** Ours: a consistency token that was changed, or is none. */
  token_invalid: 9010,
  /** Ours: a consistency token of another store. */
  token_of_another_store: 9011,
  /** Ours: a consistency token of a revision that did not come in time. */
  token_from_the_future: 9012,
  /** Ours: a consistency token of a revision that is no longer kept. */
  token_expired: 9013,
} as const

/** What went wrong, as a closed set. */
export type ZanzibarErrorCode = keyof typeof numbers

/** What kind of problem a model has, as OpenFGA's tools name it (`openfga/language:pkg/js/errors.ts`). */
export type ProblemKind =
  | 'syntax'
  | 'schema-version-required'
  | 'invalid-schema'
  | 'reserved-type-keywords'
  | 'reserved-relation-keywords'
  | 'invalid-name'
  | 'missing-definition'
  | 'invalid-relation-type'
  | 'invalid-relation-on-tupleset'
  | 'invalid-type'
  | 'relation-no-entry-point'
  | 'tupleuserset-not-direct'
  | 'duplicated-error'
  | 'assignable-relation-must-have-type'
  | 'type-wildcard-relation'
  | 'condition-not-defined'
  | 'condition-not-used'
  | 'different-nested-condition-name'
  | 'multiple-modules-in-file'
  | 'transformation-error'
  | 'validation'

/** A place in a text, counted from 0 as OpenFGA's tools do; `end` is exclusive. */
export interface Position {
  readonly kind: ProblemKind
  readonly message: string
  /** The name of the text, where there are several. */
  readonly file?: string
  readonly line: { readonly start: number; readonly end: number }
  readonly column: { readonly start: number; readonly end: number }
}

// Registered, so that an error of another copy of this package is known as well.
const brand: symbol = Symbol.for('loadbearing:zanzibar:error')

/** The one error class of this package. `message` names what is at fault, what was received and what to do. */
export class ZanzibarError extends Error {
  override readonly name: string = 'ZanzibarError'
  readonly code: ZanzibarErrorCode
  /** OpenFGA's number of `code`; 9000 and more are ours. */
  readonly number: number
  /** Where, in a text. */
  readonly positions: readonly Position[]

  constructor(
    code: ZanzibarErrorCode,
    message: string,
    options?: ErrorOptions & { readonly positions?: readonly Position[] },
  ) {
    super(message, options)
    this.code = code
    this.number = numbers[code]
    this.positions = options?.positions ?? []
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `error` is a {@link ZanzibarError}, of this copy of the package or of another one. */
export function isZanzibarError(error: unknown): error is ZanzibarError {
  return error instanceof Error && brand in error
}
