/** Limits of sizes and work. The defaults are OpenFGA's (`openfga/openfga:pkg/server/config/config.go`). */
export interface Limits {
  /** Writes and deletes of one request together. */
  readonly maxTuplesPerWrite: number
  readonly maxTypesPerModel: number
  /** Size of a model as protobuf writes it. */
  readonly maxModelBytes: number
  readonly maxConditionsPerModel: number
  readonly maxParametersPerCondition: number
  readonly maxExpressionBytes: number
  /** How many tuples deep a question may lead; `Infinity` for no limit. */
  readonly resolveNodeLimit: number
  /** Objects of one unary answer; 0 for no limit. */
  readonly listObjectsMaxResults: number
  /** Milliseconds for a list; 0 for no limit. */
  readonly listObjectsDeadline: number
  readonly listUsersMaxResults: number
  readonly listUsersDeadline: number
  readonly maxChecksPerBatch: number
  readonly maxContextualTuples: number
  readonly maxAssertions: number
  readonly maxContextualTuplesPerAssertion: number
  readonly maxAssertionBytes: number
  /** Context of one tuple's condition. */
  readonly maxConditionContextBytes: number
  /** CEL's cost of one evaluation. */
  readonly maxConditionCost: number
  readonly defaultPageSize: number
  readonly maxPageSize: number
  /** Milliseconds for a request. */
  readonly requestTimeout: number
  /** Of a request's body. */
  readonly maxBodyBytes: number
}

export const openFgaLimits: Limits = {
  maxTuplesPerWrite: 100,
  maxTypesPerModel: 100,
  maxModelBytes: 262_144,
  maxConditionsPerModel: 25,
  maxParametersPerCondition: 25,
  maxExpressionBytes: 512,
  resolveNodeLimit: 25,
  listObjectsMaxResults: 1000,
  listObjectsDeadline: 3000,
  listUsersMaxResults: 1000,
  listUsersDeadline: 3000,
  maxChecksPerBatch: 50,
  maxContextualTuples: 100,
  maxAssertions: 100,
  maxContextualTuplesPerAssertion: 20,
  maxAssertionBytes: 64_000,
  maxConditionContextBytes: 32_768,
  maxConditionCost: 100,
  defaultPageSize: 50,
  maxPageSize: 100,
  requestTimeout: 3000,
  maxBodyBytes: 616_448,
}
