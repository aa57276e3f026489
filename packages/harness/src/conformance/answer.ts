/** One parsed command: a JSON object. Its fields are read with `field()`. */
export interface Command {
  readonly id?: unknown
  readonly op: string
  readonly [field: string]: unknown
}

/**
 * The operations of a port by name. What an operation returns, or resolves to, is the answer; what it throws becomes
 * the error.
 */
export type Operations = Readonly<Record<string, (command: Command) => unknown>>

/**
 * Answers one line of the conformance port with one line of JSON, without the line break. It never throws:
 *
 * - a line that is not a JSON object with a known `op` gets `BAD_COMMAND`;
 * - an error with a string `code` keeps it, and carries its own enumerable fields along;
 * - any other exception gets `INTERNAL`, and so does an answer that JSON cannot carry (NaN, an infinity, a bigint, a
 *   function, a Map, a Set, binary data, a cycle), for JSON would change it in silence. `undefined` is answered as
 *   null, a property of that value is left out, and -0 is written as 0.
 */
export async function answerLine(operations: Operations, line: string): Promise<string> {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch (cause) {
    return badCommand(null, `the line is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return badCommand(null, 'the line must be a JSON object such as {"id":"1","op":"…"}')
  }
  const id: unknown = Object.hasOwn(parsed, 'id') ? Reflect.get(parsed, 'id') : null
  if (!isCommand(parsed)) return badCommand(id, '"op" must be the name of an operation, as a string')
  const operation = Object.hasOwn(operations, parsed.op) ? operations[parsed.op] : undefined
  if (operation === undefined) {
    const known = Object.keys(operations).join(', ')
    return badCommand(id, `unknown op ${JSON.stringify(parsed.op.slice(0, 80))}; this port knows ${known}`)
  }
  try {
    const ok = await operation(parsed)
    return `{"id":${idText(id)},"ok":${JSON.stringify(ok ?? null, refuseWhatJsonDrops)}}`
  } catch (error) {
    return `{"id":${idText(id)},"error":${errorText(error)}}`
  }
}

/** The answer to a line that is no command. */
export function badCommand(id: unknown, message: string): string {
  return `{"id":${idText(id)},"error":${JSON.stringify({ code: 'BAD_COMMAND', message })}}`
}

function isCommand(value: object): value is Command {
  return Object.hasOwn(value, 'op') && 'op' in value && typeof value.op === 'string'
}

// An id may be nested deeper than JSON.stringify can follow.
function idText(id: unknown): string {
  return tryStringify(() => id) ?? 'null'
}

function errorText(error: unknown): string {
  const code = codeOf(error)
  const parts = [
    `"code":${JSON.stringify(code ?? 'INTERNAL')}`,
    `"message":${JSON.stringify(messageOf(error))}`,
  ]
  if (code !== undefined && typeof error === 'object' && error !== null) {
    for (const key of Object.keys(error)) {
      if (['code', 'message', 'name', 'stack', 'cause'].includes(key)) continue
      const text = tryStringify(() => Reflect.get(error, key))
      if (text !== undefined) parts.push(`${JSON.stringify(key)}:${text}`)
    }
  }
  return `{${parts.join(',')}}`
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${tryStringify(() => error) ?? typeof error}`
  return codeOf(error) === undefined ? `${error.name}: ${error.message}` : error.message
}

function tryStringify(read: () => unknown): string | undefined {
  try {
    return JSON.stringify(read(), refuseWhatJsonDrops)
  } catch {
    return undefined
  }
}

function refuseWhatJsonDrops(this: unknown, key: string, value: unknown): unknown {
  const refused =
    (typeof value === 'number' && !Number.isFinite(value)) ||
    typeof value === 'bigint' ||
    typeof value === 'function' ||
    typeof value === 'symbol' ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof ArrayBuffer ||
    ArrayBuffer.isView(value) ||
    (value === undefined && Array.isArray(this))
  if (!refused) return value
  const kind = typeof value === 'object' && value !== null ? `a ${value.constructor.name}` : String(value)
  throw new TypeError(`the answer holds ${kind} at ${JSON.stringify(key)}, which JSON cannot carry`)
}
