const codes: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ERR_SOCKET_CLOSED',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
])
/** Of undici, of HTTP/2, and of Node's parser of answers. */
const codeForm = /^(?:UND_ERR|ERR_HTTP2|HPE)_/
const names: ReadonlySet<unknown> = new Set(['AbortError', 'TimeoutError'])
/** Of stripe-node: an error that tells its cause by no `cause` and no `code`. */
const stripeType = 'StripeConnectionError'
const causesMax = 8

/** Whether an error says that a connection failed or a wait was given up: then nobody knows what the other side did. */
export function isTransportError(error: unknown): boolean {
  let each = error
  for (let depth = 0; depth < causesMax && typeof each === 'object' && each !== null; depth++) {
    const code: unknown = 'code' in each ? each.code : undefined
    if (codes.has(code) || (typeof code === 'string' && codeForm.test(code))) return true
    if ('name' in each && names.has(each.name)) return true
    if ('type' in each && each.type === stripeType) return true
    each = 'cause' in each ? each.cause : undefined
  }
  return false
}
