import { commandType, keyOf, type StreamData, type StreamValue } from './stream-data.ts'

/**
 * The frames of several sources as one: each command, pool and collapser once, over all that report it. As Netflix
 * Turbine does, numbers and the numbers of maps are summed, `reportingHosts` among them, by which dashboards divide;
 * other values stay where all agree, else they are counted, as text: `{"false":2,"true":1}`. Of `currentTime` it is the
 * latest.
 *
 * Numbers among the properties of a command are not summed (Turbine 2), those of a pool are (Turbine 1): this is what
 * the dashboard 1.5.18 reckons with.
 */
export function aggregate(sources: Iterable<Iterable<StreamData>>): StreamData[] {
  const groups = new Map<string, StreamData[]>()
  for (const source of sources) {
    for (const data of source) {
      const key = keyOf(data)
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [data])
      else group.push(data)
    }
  }
  return [...groups.values()].map(merged)
}

const hostsField = 'reportingHosts'

function merged(group: readonly StreamData[]): StreamData {
  const [first] = group
  if (first === undefined) throw new TypeError('A group has an entry')
  const { type, name } = first
  const fields = new Set(group.flatMap((data) => Object.keys(data)))
  fields.add(hostsField)
  // fromEntries defines what assignment would not: a field named __proto__.
  const values = Object.fromEntries([...fields].map((field) => [field, mergedField(field, type, group)]))
  return { ...values, type, name }
}

function mergedField(field: string, type: string, group: readonly StreamData[]): StreamValue {
  if (field === hostsField) return group.reduce((sum, data) => sum + hostsOf(data), 0)
  const values = group.flatMap((data) => {
    const value = Object.hasOwn(data, field) ? data[field] : undefined
    return value === undefined ? [] : [{ value, hosts: hostsOf(data) }]
  })
  const numbers = values.flatMap(({ value }) => (typeof value === 'number' ? [value] : []))
  const maps = values.flatMap(({ value }) => (typeof value === 'object' ? [value] : []))
  if (field === 'currentTime' && numbers.length > 0) return Math.max(...numbers)
  const summed = !(type === commandType && field.startsWith('propertyValue_'))
  if (numbers.length === values.length && summed) return numbers.reduce((sum, each) => sum + each, 0)
  if (maps.length > 0) return mergedMaps(maps)
  return mergedTexts(
    values.flatMap(({ value, hosts }) => (typeof value === 'object' ? [] : [{ value, hosts }])),
  )
}

function mergedMaps(maps: readonly { readonly [key: string]: number }[]): StreamValue {
  const sums = new Map<string, number>()
  for (const map of maps)
    for (const [key, value] of Object.entries(map)) sums.set(key, (sums.get(key) ?? 0) + value)
  return Object.fromEntries(sums)
}

type Plain = Exclude<StreamValue, object>

function mergedTexts(values: readonly { readonly value: Plain; readonly hosts: number }[]): StreamValue {
  const counts = new Map<string, { value: Plain; hosts: number }>()
  for (const { value, hosts } of values) {
    for (const part of partsOf(value, hosts)) {
      const known = counts.get(String(part.value))
      if (known === undefined) counts.set(String(part.value), part)
      else known.hosts += part.hosts
    }
  }
  const [only, second] = counts.values()
  if (only !== undefined && second === undefined) return only.value
  const parts = [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([text, { hosts }]) => `${JSON.stringify(text)}:${hosts}`)
  return `{${parts.join(',')}}`
}

/** What another aggregation has counted already, or the value of all its hosts. */
function partsOf(value: Plain, hosts: number): { value: Plain; hosts: number }[] {
  const counted = typeof value === 'string' && hosts > 1 && value.startsWith('{') ? readCounts(value) : []
  return counted.length > 1 ? counted : [{ value, hosts }]
}

function readCounts(text: string): { value: string; hosts: number }[] {
  try {
    const entries = Object.entries(Object(JSON.parse(text))).map(([value, hosts]) => ({
      value,
      hosts: Number(hosts),
    }))
    return entries.every(({ hosts }) => Number.isSafeInteger(hosts) && hosts > 0) ? entries : []
  } catch {
    return []
  }
}

function hostsOf(data: StreamData): number {
  const hosts = data[hostsField]
  return typeof hosts === 'number' && hosts >= 1 ? hosts : 1
}
