import { momentOf } from '../consistency/moment.ts'
import type { Tokens } from '../consistency/token.ts'
import { ZanzibarError } from '../errors.ts'
import type { Events, QueryOp } from '../events.ts'
import type { Scope } from '../graph/tuple-reader.ts'
import type { ClosureIndex } from '../leopard/closure-index.ts'
import type { Limits } from '../limits.ts'
import type { TypeSystem } from '../model/type-system.ts'
import type { Clock } from '../ports.ts'
import type { Snapshot } from '../store/snapshot.ts'
import type { TupleStore } from '../store/tuple-store.ts'
import type { Context, Tuple } from '../tuple/tuple.ts'
import { forbiddenReason, refusedContextualTuple, writeProblem } from '../tuple/validity.ts'
import type { Call } from './call.ts'
import type { TupleKeyMessage } from './messages/tuples.ts'
import type { Models } from './models.ts'
import { tupleOf } from './tuple-messages.ts'

/** What questions are answered with. */
export interface Asked {
  readonly store: TupleStore
  readonly models: Models
  readonly tokensOf: (storeId: string) => Tokens
  readonly limits: Limits
  readonly clock: Clock
  readonly events: Events
}

/** What a request says of the model and the moment that it asks about. */
export interface Aim {
  readonly op: QueryOp
  readonly storeId: string
  readonly modelId: string
}

/** A model and the tuples of one moment, for one request. */
export interface Ground {
  readonly modelId: string
  readonly types: TypeSystem
  readonly index: ClosureIndex | undefined
  readonly snapshot: Snapshot
}

/** Milliseconds to wait for a moment that a token names and that is not there yet. */
const patience = 1000

/** Finds the model, holds the moment while `work` runs, and gives it up again. */
export async function onGround<T>(
  asked: Asked,
  aim: Aim,
  call: Call,
  work: (ground: Ground) => T | Promise<T>,
): Promise<T> {
  const ground = await openGround(asked, aim, call)
  try {
    const asking = { ...aim, ...ground }
    return await asked.events.observe(asking, ground.snapshot, (snapshot) => work({ ...ground, snapshot }))
  } finally {
    ground.snapshot.release()
  }
}

/** Finds the model, and holds the moment until the caller releases the snapshot. */
export async function openGround(
  { store, models, tokensOf, clock }: Asked,
  { storeId, modelId }: Pick<Aim, 'modelId' | 'storeId'>,
  call: Call,
): Promise<Ground> {
  const { signal, atLeast, onToken } = call
  const openMoment = async (least: number): Promise<Snapshot> =>
    await momentOf({ least }, { store, storeId, clock, limit: patience, signal })
  // Where nothing is waited for, both at once: in a database each of them is a round trip.
  const opening = atLeast === undefined ? openMoment(0) : undefined
  opening?.catch(() => {})
  const { id, types, index } = await models.resolve(storeId, modelId).catch((error: unknown) => {
    void opening?.then((snapshot) => snapshot.release()).catch(() => {})
    throw error
  })
  call.onModel?.(id)
  const tokens = tokensOf(storeId)
  const snapshot = await (opening ?? openMoment(tokens.read(atLeast ?? '')))
  onToken?.(tokens.write(snapshot.revision))
  return { modelId: id, types, index, snapshot }
}

export interface Given {
  readonly context: Context | undefined
  readonly contextualTuples: readonly TupleKeyMessage[]
  readonly kind: 'check' | 'list'
}

/** @throws ZanzibarError for a context with control characters, or a contextual tuple that the model does not take */
export function scopeOf(
  { types, index, snapshot }: Ground,
  limits: Limits,
  { context, contextualTuples, kind }: Given,
): Scope {
  const forbidden = context === undefined || kind === 'list' ? undefined : forbiddenReason(context)
  if (forbidden !== undefined) throw new ZanzibarError('validation_error', `invalid context: ${forbidden}`)
  // OpenFGA's v2 checks to any depth.
  const isUnlimited = kind === 'check' && types.semantics === 'openfga-v2'
  return {
    types,
    snapshot,
    index,
    context,
    contextualTuples: contextualTuples.map((message) => validTuple(types, tupleOf(message), kind)),
    depthLimit: isUnlimited ? Number.POSITIVE_INFINITY : limits.resolveNodeLimit,
    maxConditionCost: limits.maxConditionCost,
  }
}

function validTuple(types: TypeSystem, tuple: Tuple, kind: Given['kind']): Tuple {
  const problem = writeProblem(types, tuple)
  if (problem !== undefined) throw refusedContextualTuple(tuple, problem, kind)
  return tuple
}

/** @throws ZanzibarError `type_not_found`, `relation_not_found` */
export function checkRelation(types: TypeSystem, type: string, relation: string): void {
  if (!types.hasType(type)) throw new ZanzibarError('type_not_found', `type '${type}' not found`)
  if (types.relation(type, relation) === undefined)
    throw new ZanzibarError('relation_not_found', `relation '${type}#${relation}' not found`)
}
