import { type MapKey, pythonFloat, type Value } from '@loadbearing/hydra-config'

/** A value of a configuration as the port writes it. */
export function tagValue(value: Value): unknown {
  if (value.kind === 'list') return value.items.map(tagValue)
  if (value.kind === 'scalar') return tagScalar(value.value)
  return { m: [...value.entries].map(([key, item]) => [tagScalar(key), tagValue(item)]) }
}

function tagScalar(value: MapKey): unknown {
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString('hex') }
  if (typeof value === 'bigint') return { i: String(value) }
  return typeof value === 'number' ? { f: pythonFloat(value) } : value
}
