/** A value of a frame; a map holds percentiles, or what was counted by its key. */
export type StreamValue = string | number | boolean | { readonly [key: string]: number }

/** What a stream says of one command, thread pool or collapser at one moment. */
export interface StreamData {
  readonly type: string
  readonly name: string
  readonly [field: string]: StreamValue
}

export const commandType = 'HystrixCommand'
export const poolType = 'HystrixThreadPool'
export const collapserType = 'HystrixCollapser'

/** By it two frames are of the same thing. */
export function keyOf({ type, name }: Pick<StreamData, 'type' | 'name'>): string {
  return `${type}\0${name}`
}

/**
 * One event of a stream. Fields keep their order, and the keys of a map go by their number, which objects do not
 * keep for 99.5. `<` and the line separators of Unicode are escaped, for pages that put JSON into a script.
 */
export function frameText(data: StreamData): string {
  let text = ''
  for (const field of Object.keys(data)) {
    const value = data[field]
    if (value !== undefined) text += `${text === '' ? '' : ','}${quoted(field)}:${valueText(value)}`
  }
  return `data: {${escaped(text)}}\n\n`
}

/** Takes the tile of what is gone from the dashboard, which finds it by `escapedName`, as its first stream. */
export function deletionText({ type, name }: Pick<StreamData, 'type' | 'name'>): string {
  const escapedName = `${name.replaceAll(/[ !"#$%&'()*+,./:;<=>?@[\]^`{|}~]/g, String.raw`\$&`)}_0`
  return frameText({ type, name, deleteData: 'true', escapedName })
}

const fieldsMax = 300

/**
 * A frame of another process, or undefined where it is none. Numbers lose their fractions, and values that are no
 * {@link StreamValue} are left out.
 */
export function readData(text: string): StreamData | undefined {
  const json: unknown = parsed(text)
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return undefined
  if (!('type' in json && typeof json.type === 'string' && 'name' in json && typeof json.name === 'string'))
    return undefined
  const { type, name } = json
  const entries = Object.entries(json)
  if (entries.length > fieldsMax) return undefined
  const values = entries.flatMap(([field, value]) => {
    const read = readValue(value)
    return read === undefined ? [] : [[field, read] as const]
  })
  return { ...Object.fromEntries(values), type, name }
}

function readValue(value: unknown): StreamValue | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Math.trunc(value)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  const entries = Object.entries(value)
  if (entries.length > fieldsMax || entries.some(([, each]) => typeof each !== 'number')) return undefined
  return Object.fromEntries(entries.map(([key, each]) => [key, Math.trunc(each)]))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function valueText(value: StreamValue): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object') return String(value)
  let text = ''
  for (const key of inOrder(Object.keys(value)))
    text += `${text === '' ? '' : ','}${quoted(key)}:${value[key]}`
  return `{${text}}`
}

// Frames share a few dozen field names and sets of percentiles, and there may be thousands of frames at a time.
const cachedMax = 500
const cachedLength = 300
const quotedNames = new Map<string, string>()
const orders = new Map<string, readonly string[]>()

function quoted(name: string): string {
  return cached(quotedNames, name, () => JSON.stringify(name))
}

function inOrder(keys: readonly string[]): readonly string[] {
  return cached(orders, JSON.stringify(keys), () => keys.toSorted((a, b) => Number(a) - Number(b)))
}

function cached<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key)
  if (known !== undefined) return known
  const made = make()
  if (cache.size < cachedMax && key.length < cachedLength) cache.set(key, made)
  return made
}

const unsafe: ReadonlyMap<string, string> = new Map([
  ['<', String.raw`\u003c`],
  ['\u2028', String.raw`\u2028`],
  ['\u2029', String.raw`\u2029`],
])

function escaped(json: string): string {
  if (!/[<\u2028\u2029]/.test(json)) return json
  return json.replaceAll(/[<\u2028\u2029]/g, (character) => unsafe.get(character) ?? character)
}
