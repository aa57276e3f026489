import { isZanzibarError } from '../../src/errors.ts'
import {
  createStoreRequest,
  readRequest as readTuplesRequest,
  writeAssertionsRequest,
  writeRequest,
} from '../../src/wire/messages/data.ts'
import { writeModelRequest } from '../../src/wire/messages/models.ts'
import {
  batchCheckRequest,
  checkRequest,
  expandRequest,
  listObjectsRequest,
  listUsersRequest,
} from '../../src/wire/messages/questions.ts'
import { readRequest } from '../../src/wire/request.ts'
import type { HostileRequest } from './hostile-bodies.ts'

/** What is said to a request because of its JSON or its fields; undefined where nothing is. */
export type Refusal = { readonly code: string; readonly message: string } | undefined

/** A store and a model that are not there. */
const id = '01KAKAKAKAKAKAKAKAKAKAKAKA'
const path = { store_id: id }

const readers: Readonly<Record<string, (body: string) => unknown>> = {
  'create-store': (body) => readRequest(createStoreRequest, body),
  check: (body) => readRequest(checkRequest, body, path),
  'batch-check': (body) => readRequest(batchCheckRequest, body, path),
  expand: (body) => readRequest(expandRequest, body, path),
  'list-objects': (body) => readRequest(listObjectsRequest, body, path),
  'list-users': (body) => readRequest(listUsersRequest, body, path),
  read: (body) => readRequest(readTuplesRequest, body, path),
  write: (body) => readRequest(writeRequest, body, path),
  'authorization-models': (body) => readRequest(writeModelRequest, body, path),
  assertions: (body) => readRequest(writeAssertionsRequest, body, { ...path, authorization_model_id: id }),
}

export function ourRefusal({ rpc, body }: HostileRequest): Refusal {
  try {
    readers[rpc]?.(body)
    return undefined
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    return { code: error.code, message: error.message }
  }
}

export async function refusalOf(url: string, { rpc, body }: HostileRequest): Promise<Refusal> {
  const response = await fetch(url + pathOf(rpc), { method: rpc === 'assertions' ? 'PUT' : 'POST', body })
  const text = await response.text()
  if (response.ok) return undefined
  const { code, message } = JSON.parse(text) as { code: string; message: string }
  return refusesFields(message) ? { code, message } : undefined
}

function pathOf(rpc: string): string {
  if (rpc === 'create-store') return '/stores'
  return rpc === 'assertions' ? `/stores/${id}/assertions/${id}` : `/stores/${id}/${rpc}`
}

/** Whether it is about JSON or fields, and not about what the request asks for. */
function refusesFields(message: string): boolean {
  return /^invalid [A-Z]\w*\.[A-Z]|^\(line|^syntax error|^malformed JSON|^invalid character/.test(message)
}
