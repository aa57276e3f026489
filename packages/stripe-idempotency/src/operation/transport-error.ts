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
  'ETIMEDOUT',
])
const names: ReadonlySet<unknown> = new Set(['AbortError', 'TimeoutError'])
const causesMax = 8

/** Whether an error says that a connection failed or a wait was given up: then nobody knows what the other side did. */
export function isTransportError(error: unknown): boolean {
  let each = error
  for (let depth = 0; depth < causesMax && typeof each === 'object' && each !== null; depth++) {
    const code: unknown = 'code' in each ? each.code : undefined
    if (codes.has(code) || (typeof code === 'string' && code.startsWith('UND_ERR_'))) return true
    if ('name' in each && names.has(each.name)) return true
    each = 'cause' in each ? each.cause : undefined
  }
  return false
}
