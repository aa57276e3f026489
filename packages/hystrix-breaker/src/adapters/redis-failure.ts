/** First words of error replies that tell of the server (Redis' source, `shared.*err`, and its documentation). */
const ofServer: ReadonlySet<string> = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOMASTERLINK',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
  'UNKILLABLE',
])

/** Classes of the clients' errors about what their caller did. */
const ofCaller: ReadonlySet<string> = new Set([
  'AbortError',
  'ClientClosedError',
  'DisconnectsClientError',
  'WatchError',
])

/** Those of error replies: of ioredis, of node-redis. */
const replies: ReadonlySet<string> = new Set([
  'ReplyError',
  'SimpleError',
  'BlobError',
  'ErrorReply',
  'MultiErrorReply',
])

/**
 * Whether an error of ioredis or node-redis tells of the server and not of the command: what breaks on the connection or
 * takes too long, and error replies such as LOADING, OOM, READONLY, CLUSTERDOWN.
 */
export function isServerFailure(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TypeError) return false
  // node-redis gives its classes no names of their own.
  const kind = error.constructor.name
  if (ofCaller.has(kind)) return false
  return !replies.has(kind) || ofServer.has(error.message.split(' ', 1)[0] ?? '')
}
