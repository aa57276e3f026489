import { type Command, field, servePort } from '@loadbearing/harness/conformance'
import { fingerprint, type HttpRequest, readKey, sameFingerprint } from '@loadbearing/stripe-idempotency'
import { exchange, modeOf, requestOf } from './exchange-operation.ts'

await servePort({ exchange, key, same })

function key(command: Command): object {
  const mode = modeOf(field(command, 'mode'), field(command, 'syntax'))
  const lines = field(command, 'lines').list((each) => each.string())
  return { key: readKey(lines, mode.key) ?? null }
}

function same(command: Command): object {
  const [a, b] = [requestOf(field(command, 'a')), requestOf(field(command, 'b'))]
  return {
    same: a.method === b.method && a.path === b.path && sameFingerprint(fingerprintOf(a), fingerprintOf(b)),
  }
}

function fingerprintOf({ query, headers, body }: HttpRequest): Uint8Array {
  return fingerprint({ query, contentType: new Map(headers).get('content-type') ?? '', body })
}
