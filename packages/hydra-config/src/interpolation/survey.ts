import type { ListValue, MapValue, ScalarValue, Value } from '../value/value.ts'

/** What is asked of a value again and again. */
interface Facts {
  /** How many values it holds, itself included; one that stands in it twice counts twice. */
  readonly size: number
  /** How many values are in one another; 1 for a scalar. */
  readonly depth: number
  /** Whether a string with `${` is in it. */
  readonly interpolated: boolean
  /** Whether a secret is in it. */
  readonly secret: boolean
}

// Values never change, so that what was found out stays true.
const known = new WeakMap<ListValue | MapValue, Facts>()

/** Surveys a value once, however deep it is. */
export function survey(value: Value): Facts {
  if (value.kind === 'scalar') return scalarFacts(value)
  const found = known.get(value)
  if (found !== undefined) return found
  const open: (ListValue | MapValue)[] = [value]
  for (let at = open.at(-1); at !== undefined; at = open.at(-1)) {
    const before = open.length
    for (const child of childrenOf(at)) if (child.kind !== 'scalar' && !known.has(child)) open.push(child)
    if (open.length > before) continue
    known.set(at, containerFacts(at))
    open.pop()
  }
  return known.get(value) ?? containerFacts(value)
}

function childrenOf(value: ListValue | MapValue): Iterable<Value> {
  return value.kind === 'list' ? value.items : value.entries.values()
}

function containerFacts(value: ListValue | MapValue): Facts {
  let size = 1
  let depth = 0
  let interpolated = false
  let secret = false
  for (const child of childrenOf(value)) {
    const facts = child.kind === 'scalar' ? scalarFacts(child) : (known.get(child) ?? unknownFacts)
    size += facts.size
    depth = Math.max(depth, facts.depth)
    interpolated ||= facts.interpolated
    secret ||= facts.secret
  }
  return { size, depth: depth + 1, interpolated, secret }
}

const unknownFacts: Facts = { size: 1, depth: 1, interpolated: true, secret: true }
const plain: Facts = { size: 1, depth: 1, interpolated: false, secret: false }
const interpolation: Facts = { size: 1, depth: 1, interpolated: true, secret: false }

function scalarFacts({ value, secret }: ScalarValue): Facts {
  const interpolated = typeof value === 'string' && value.includes('${')
  if (secret === true) return { size: 1, depth: 1, interpolated, secret }
  return interpolated ? interpolation : plain
}
