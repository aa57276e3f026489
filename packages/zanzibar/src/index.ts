export {
  type CompiledCondition,
  compileCondition,
  type Evaluation,
  type EvaluationLimits,
} from './condition/condition.ts'
export type { ObjectChanges } from './consistency/subscribe.ts'
export type { Token } from './consistency/token.ts'
export { parseModel } from './dsl/parse-model.ts'
export { type ModuleFile, parseModules } from './dsl/parse-modules.ts'
export { validateDsl } from './dsl/validate-dsl.ts'
export {
  isZanzibarError,
  type Position,
  type ProblemKind,
  ZanzibarError,
  type ZanzibarErrorCode,
} from './errors.ts'
export type { IndexOffEvent, QueryEvent, QueryOp, ZanzibarEvent } from './events.ts'
export type { Computed, UsersetLeaf, UsersetTree } from './graph/expand.ts'
export type { Explanation, Proof, Reason, UnmetCondition } from './graph/explain.ts'
export type { ListedUsers } from './graph/list-users.ts'
export { type V2Difference, type V2Reason, v2Differences } from './graph/v2-differences.ts'
export type { ClosureIndexOptions } from './leopard/closure-index.ts'
export { type Limits, openFgaLimits } from './limits.ts'
export type {
  AuthorizationModel,
  ConditionDefinition,
  ObjectRelation,
  ParameterType,
  ParameterTypeName,
  RelationMetadata,
  RelationReference,
  SourceInfo,
  TypeDefinition,
  TypeMetadata,
  Userset,
} from './model/authorization-model.ts'
export {
  and,
  butNot,
  type Definition,
  type Definitions,
  type Direct,
  defineModel,
  direct,
  type From,
  from,
  type Operation,
  or,
} from './model/define-model.ts'
export { lintModel, type Problem, type Subject as ProblemSubject } from './model/lint-model.ts'
export { printModel } from './model/print-model.ts'
export { printModelGraph } from './model/print-model-graph.ts'
export { printTypedModel } from './model/print-typed-model.ts'
export { readModel } from './model/read-model.ts'
export type { Semantics } from './model/type-system.ts'
export type {
  CheckedDefinitions,
  ConditionDefinitions,
  ContextOf,
  ObjectRef,
  ParameterTypeText,
  RelationOf,
  Subject,
  TypedModel,
  TypedTriple,
  TypedTuple,
  UserFilter,
  UserOf,
  UsersetRef,
  WildcardRef,
} from './model/typed-model.ts'
export { diffModels, type ModelChange } from './model-diff/diff-models.ts'
export {
  type AnswerChange,
  type ModelPlan,
  type ModelPlanOptions,
  type PlannedAnswer,
  planModel,
  type TupleChange,
} from './model-diff/plan-model.ts'
export { openZanzibar } from './open-zanzibar.ts'
export { type MemoryStore, type MemoryStoreOptions, memoryStore } from './store/memory-store.ts'
export type { Above, Downward, Onward, Read, Snapshot, Upward, Wanted } from './store/snapshot.ts'
export type {
  Assertion,
  Change,
  ChangesRequest,
  Page,
  PageRequest,
  Precondition,
  SnapshotOptions,
  StoredModel,
  StoredTuple,
  StoreRecord,
  TupleFilter,
  TupleStore,
  TupleToWrite,
  WriteAnswer,
  WriteRequest,
} from './store/tuple-store.ts'
export type { Context, Json, Tuple, TupleCondition, TupleKey } from './tuple/tuple.ts'
export type {
  FoundTuple,
  TypedQueryOptions,
  TypedTupleFilter,
  TypedWatchFrom,
  TypedWrite,
  TypedZanzibar,
  TypedZanzibarOptions,
} from './typed-zanzibar.ts'
export type { Call } from './wire/call.ts'
export { type OpenFgaApi, type OpenFgaApiOptions, openFgaApi } from './wire/openfga-api.ts'
export type { BatchCheckAnswer, BatchCheckResult, CheckAnswer } from './wire/rpc/checks.ts'
export type { ExpandAnswer } from './wire/rpc/expand.ts'
export type { ListObjectsAnswer, StreamedObject } from './wire/rpc/list-objects.ts'
export type { ListUsersAnswer, UserJson } from './wire/rpc/list-users.ts'
export type { ModelAnswer, ModelJson, ModelsAnswer } from './wire/rpc/models.ts'
export type { UserList } from './zanzibar.ts'
export {
  type CheckEvaluation,
  type ObjectPage,
  type QueryOptions,
  type TupleOrTriple,
  type WatchedChange,
  type WatchFrom,
  type Zanzibar,
  type ZanzibarOptions,
  type ZanzibarWrite,
  zanzibarLimits,
} from './zanzibar.ts'
