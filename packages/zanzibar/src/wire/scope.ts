import { momentOf } from '../consistency/moment.ts'
import type { Tokens } from '../consistency/token.ts'
import { ZanzibarError } from '../errors.ts'
import type { Events, QueryOp } from '../events.ts'
import type { Scope } from '../graph/tuple-reader.ts'
import type { ClosureIndex } from '../leopard/closure-index.ts'
import type { Limits } from '../limits.ts'
import type { TypeSystem } from '../model/type-system.ts'
import type { Clock } from '../ports.ts'
import type { Snapshot, Wanted } from '../store/snapshot.ts'
import type { TupleStore } from '../store/tuple-store.ts'
import type { Context, Tuple } from '../tuple/tuple.ts'
import { forbiddenReason, refusedContextualTuple, writeProblem } from '../tuple/validity.ts'
import type { Call } from './call.ts'
import type { TupleKeyMessage } from './messages/tuples.ts'
import type { Models, ResolvedModel } from './models.ts'
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
  /** What is asked for first under a model. */
  readonly first?: ((model: ResolvedModel) => Wanted) | undefined
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
  { storeId, modelId, first }: Pick<Aim, 'first' | 'modelId' | 'storeId'>,
  call: Call,
): Promise<Ground> {
  const { signal, atLeast, onToken } = call
  const known = models.ready(storeId, modelId)
  const openMoment = async (): Promise<Snapshot> => {
    const least = atLeast === undefined ? 0 : tokensOf(storeId).read(atLeast)
    const wanted = first && known && ((): Wanted => first(known))
    return await momentOf({ least }, { store, storeId, clock, limit: patience, signal, first: wanted })
  }
  // Where nothing is waited for, both at once: in a database each of them is a round trip.
  const opening = known !== undefined || atLeast === undefined ? openMoment() : undefined
  opening?.catch(() => {})
  const resolved = await (known !== undefined && (modelId !== '' || (await isLatest(known, opening)))
    ? known
    : models.resolve(storeId, modelId).catch((error: unknown) => {
        void opening?.then((snapshot) => snapshot.release()).catch(() => {})
        throw error
      }))
  const { id, types, index } = resolved
  call.onModel?.(id)
  const snapshot = await (opening ?? openMoment())
  onToken?.(tokensOf(storeId).write(snapshot.revision))
  return { modelId: id, types, index, snapshot }
}

/** Whether a model was the latest one at the moment that was opened, as far as that says it. */
async function isLatest({ id }: ResolvedModel, opening: Promise<Snapshot> | undefined): Promise<boolean> {
  const snapshot = await opening?.catch(() => undefined)
  return snapshot?.latestModel === id
}

export interface Given {
  readonly context: Context | undefined
  readonly contextualTuples: readonly TupleKeyMessage[]
  readonly kind: 'check' | 'list'
}

/** @throws ZanzibarError for a context with control characters, or a contextual tuple that the model does not take */
export function scopeOf(
  { types, index, snapshot }: Omit<Ground, 'modelId'>,
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
