import { ZanzibarError } from '../../errors.ts'
import { checkWrite } from '../../store/check-write.ts'
import type { Change, WriteRequest } from '../../store/tuple-store.ts'
import { splitObject } from '../../tuple/object.ts'
import type { Call } from '../call.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import {
  type ReadRequest,
  readChangesRequest,
  readChangesResponse,
  readResponse,
  readRequest as readTuplesRequest,
  type WriteRequestMessage,
  writeRequest,
} from '../messages/data.ts'
import { unlessNoStore } from '../models.ts'
import type { JsonObject } from '../protobuf-json/message.ts'
import { structSize } from '../protobuf-json/well-known.ts'
import { integerParameter, type Query, textParameter, timeParameter } from '../query.ts'
import { type Body, checked, readRequest } from '../request.ts'
import type { Asked } from '../scope.ts'
import { tupleMessage, tupleOf } from '../tuple-messages.ts'

export interface TuplesApi {
  /** `POST /stores/{store_id}/write` */
  write(storeId: string, body: Body, call?: Call): Promise<JsonObject>
  /** `POST /stores/{store_id}/read` */
  read(storeId: string, body: Body, call?: Call): Promise<JsonObject>
  /** `GET /stores/{store_id}/changes` */
  readChanges(storeId: string, query: Query, call?: Call): Promise<JsonObject>
}

export function tuplesApi({ store, limits, models, tokensOf, clock }: Asked): TuplesApi {
  return {
    write: async (storeId, body, call = {}) => {
      const message = readRequest(writeRequest, body, { store_id: storeId })
      const { id, types } = await models.resolve(storeId, message.authorization_model_id)
      call.onModel?.(id)
      const changes: WriteRequest = {
        deletes: message.deletes?.tuple_keys ?? [],
        writes: (message.writes?.tuple_keys ?? []).map(tupleOf),
      }
      checkWrite(changes, { rules: types, limits, sizeOf: structSize })
      const { revision } = await store.write(storeId, { ...changes, ...optionsOf(message) })
      call.onToken?.(tokensOf(storeId).write(revision))
      return {}
    },
    read: async (storeId, body) => {
      const request = readRequest(readTuplesRequest, body, { store_id: storeId })
      checkFilter(request)
      const cursor = readCursor('tuples', request.continuation_token)
      const page = await store
        .read(storeId, request.tuple_key ?? {}, {
          limit: request.page_size ?? limits.defaultPageSize,
          after: cursor?.after,
        })
        .catch(unlessNoStore)
      const { items = [], next } = page ?? {}
      return readResponse.write(
        {
          tuples: items.map(({ tuple, timestamp }) => ({ key: tupleMessage(tuple), timestamp })),
          continuation_token: next === undefined ? '' : writeCursor('tuples', { after: next }),
        },
        true,
      )
    },
    readChanges: async (storeId, query) => {
      const request = checked(readChangesRequest, {
        store_id: storeId,
        type: textParameter(query, 'type'),
        page_size: integerParameter(query, 'page_size'),
        continuation_token: textParameter(query, 'continuation_token'),
        start_time: timeParameter(query, 'start_time'),
      })
      const { type, page_size: pageSize, continuation_token: token, start_time: startTime } = request
      if (startTime !== undefined && startTime >= clock.now())
        throw new ZanzibarError(
          'validation_error',
          'invalid ReadChangesRequest.StartTime: value must be less than now',
        )
      if (pageSize !== undefined && pageSize > limits.maxPageSize)
        throw new ZanzibarError(
          'page_size_invalid',
          `invalid ReadChangesRequest.PageSize: value must be inside range [1, ${limits.maxPageSize}]`,
        )
      const after = changesCursor(token, type)
      const changes = await store
        .changes(storeId, {
          after,
          startTime: after === undefined ? startTime : undefined,
          type: type === '' ? undefined : type,
          limit: pageSize ?? limits.defaultPageSize,
        })
        .catch(unlessNoStore)
      return changesAnswer(changes ?? [], token, type)
    },
  }
}

function optionsOf({
  writes,
  deletes,
}: WriteRequestMessage): Pick<WriteRequest, 'onDuplicate' | 'onMissing'> {
  return {
    onDuplicate: errorOrIgnore('on_duplicate', writes?.on_duplicate),
    onMissing: errorOrIgnore('on_missing', deletes?.on_missing),
  }
}

function errorOrIgnore(name: string, value = ''): 'error' | 'ignore' {
  if (value === '' || value === 'error') return 'error'
  if (value === 'ignore') return 'ignore'
  throw new ZanzibarError('validation_error', `invalid ${name} option: ${value}`)
}

function checkFilter({ tuple_key: key }: ReadRequest): void {
  if (key === undefined) return
  const { type, id } = splitObject(key.object)
  if (type !== '' && (id !== '' || key.user !== '')) return
  throw new ZanzibarError(
    'validation_error',
    "the 'tuple_key' field was provided but the object type field is required and both the object id and user cannot be empty",
  )
}

/** The position of the last change that is known; undefined without a token. */
function changesCursor(token: string, type: string): number | undefined {
  const cursor = readCursor('changes', token)
  if (cursor === undefined) return undefined
  if (cursor.type !== type)
    throw new ZanzibarError(
      'query_string_type_continuation_token_mismatch',
      "The type in the querystring and the continuation token don't match",
    )
  const position = Number(cursor.after)
  if (Number.isSafeInteger(position)) return position
  throw new ZanzibarError('invalid_continuation_token', 'Invalid continuation token')
}

function changesAnswer(changes: readonly Change[], token: string, type: string): JsonObject {
  const last = changes.at(-1)
  return readChangesResponse.write(
    {
      changes: changes.map(({ tuple, operation, timestamp }) => ({
        tuple_key: tupleMessage(tuple),
        operation: operation === 'write' ? 0 : 1,
        timestamp,
      })),
      continuation_token:
        last === undefined ? token : writeCursor('changes', { after: String(last.position), type }),
    },
    true,
  )
}
