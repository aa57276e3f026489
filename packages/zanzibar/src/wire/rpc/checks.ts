import { isZanzibarError, ZanzibarError, type ZanzibarErrorCode } from '../../errors.ts'
import { check } from '../../graph/check.ts'
import { allowed } from '../../graph/decision.ts'
import { type CheckToCome, firstOfChecks } from '../../graph/first-reads.ts'
import type { Wanted } from '../../store/snapshot.ts'
import { canonicalJson } from '../../store/write-plan.ts'
import type { Context, TupleKey } from '../../tuple/tuple.ts'
import { questionReason } from '../../tuple/validity.ts'
import type { Call } from '../call.ts'
import {
  type BatchCheckItem,
  batchCheckItem,
  batchCheckRequest,
  checkRequest,
} from '../messages/questions.ts'
import type { TupleKeyMessage } from '../messages/tuples.ts'
import type { ResolvedModel } from '../models.ts'
import { emptyRecord } from '../protobuf-json/message.ts'
import { type Body, readRequest } from '../request.ts'
import { type Asked, type Ground, onGround, scopeOf } from '../scope.ts'

export interface ChecksApi {
  /** `POST /stores/{store_id}/check` */
  check(storeId: string, body: Body, call?: Call): Promise<CheckAnswer>
  /** `POST /stores/{store_id}/batch-check` */
  batchCheck(storeId: string, body: Body, call?: Call): Promise<BatchCheckAnswer>
}

export interface CheckAnswer {
  readonly allowed: boolean
  readonly resolution: string
}

export interface BatchCheckAnswer {
  readonly result: Readonly<Record<string, BatchCheckResult>>
}

/** What an item came to: whether it is allowed, or why that cannot be told. */
export interface BatchCheckResult {
  readonly allowed?: boolean
  readonly error?: { readonly message: string } & (
    | { readonly input_error: ZanzibarErrorCode }
    | { readonly internal_error: ZanzibarErrorCode }
  )
}

/** One question of a check or of a batch. */
interface Item {
  readonly tuple_key: TupleKey | undefined
  readonly contextual_tuples: { readonly tuple_keys: readonly TupleKeyMessage[] } | undefined
  readonly context: Context | undefined
}

export function checksApi(asked: Asked): ChecksApi {
  return {
    check: async (storeId, body, call = {}) => {
      const request = readRequest(checkRequest, body, { store_id: storeId })
      const first = (model: ResolvedModel): Wanted => firstOf(asked, model, [request])
      const aim = { op: 'check' as const, storeId, modelId: request.authorization_model_id, first }
      return await onGround(asked, aim, call, async (ground) => ({
        allowed: await answered(asked, ground, request, call),
        resolution: '',
      }))
    },
    batchCheck: async (storeId, body, call = {}) => {
      const request = readRequest(batchCheckRequest, body, { store_id: storeId })
      const checks = request.checks.slice(0, asked.limits.maxChecksPerBatch)
      const first = (model: ResolvedModel): Wanted => firstOf(asked, model, checks)
      const aim = { op: 'batchCheck' as const, storeId, modelId: request.authorization_model_id, first }
      return await onGround(asked, aim, call, async (ground) => {
        checkBatch(request.checks, asked.limits.maxChecksPerBatch)
        return { result: await batch(asked, ground, request.checks, call) }
      })
    },
  }
}

async function answered(asked: Asked, ground: Ground, item: Item, { signal }: Call): Promise<boolean> {
  const { scope, key } = questionOf(asked, ground, item)
  return allowed(await check(scope, key, signal))
}

function questionOf(asked: Asked, ground: Omit<Ground, 'modelId'>, item: Item): ReturnType<CheckToCome> {
  // The rules of the field have seen to that there is one.
  const key = item.tuple_key ?? { user: '', relation: '', object: '' }
  const reason = questionReason(ground.types, key)
  if (reason !== undefined) throw new ZanzibarError('validation_error', `invalid relation: ${reason}`)
  const scope = scopeOf(ground, asked.limits, {
    context: item.context,
    contextualTuples: item.contextual_tuples?.tuple_keys ?? [],
    kind: 'check',
  })
  return { scope, key }
}

function firstOf(asked: Asked, { types, index }: ResolvedModel, items: readonly Item[]): Wanted {
  return firstOfChecks(
    index,
    items.map((item) => (snapshot) => questionOf(asked, { types, index, snapshot }, item)),
  )
}

function checkBatch(checks: readonly BatchCheckItem[], max: number): void {
  if (checks.length > max)
    throw new ZanzibarError(
      'validation_error',
      `batchCheck received ${checks.length} checks, the maximum allowed is ${max}`,
    )
  const seen = new Set<string>()
  for (const { correlation_id: id } of checks) {
    if (seen.has(id)) throw new ZanzibarError('validation_error', `received duplicate correlation id: ${id}`)
    seen.add(id)
  }
}

/** Items that ask the same are asked once: the whole item but for its id is what tells them apart. */
async function batch(
  asked: Asked,
  ground: Ground,
  checks: readonly BatchCheckItem[],
  call: Call,
): Promise<Record<string, BatchCheckResult>> {
  const known = new Map<string, Promise<BatchCheckResult>>()
  const answers = checks.map(async (item) => {
    const question = canonicalJson(batchCheckItem.write({ ...item, correlation_id: '' }, false))
    const answer = known.get(question) ?? single(asked, ground, item, call)
    known.set(question, answer)
    return [item.correlation_id, await answer] as const
  })
  const results: Record<string, BatchCheckResult> = emptyRecord()
  for (const [id, answer] of await Promise.all(answers)) results[id] = answer
  return results
}

// OpenFGA's words (`internal/graph/graph.go`): those of a check come from its server.
const batchedTooDeep = 'resolution depth exceeded'

async function single(asked: Asked, ground: Ground, item: Item, call: Call): Promise<BatchCheckResult> {
  try {
    return { allowed: await answered(asked, ground, item, call) }
  } catch (error) {
    if (!isZanzibarError(error) || error.code === 'cancelled') throw error
    const { code, number } = error
    const message = code === 'authorization_model_resolution_too_complex' ? batchedTooDeep : error.message
    return { error: number >= 4000 ? { internal_error: code, message } : { input_error: code, message } }
  }
}
