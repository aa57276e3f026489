import type { ConfigNode, NodeRead } from '../compose/config-node.ts'
import { keysOf } from '../compose/value-path.ts'
import { isHydraConfigError } from '../errors.ts'
import { plainView } from '../value/plain.ts'
import { redact } from '../value/secret.ts'
import type { History } from './history.ts'
import type { InterpolationTrace, Provenance } from './provenance.ts'
import { refuseUnknownPath } from './unknown-path.ts'

/** What an explanation looks at. */
export interface Explained {
  readonly tree: ConfigNode
  readonly history: History
  /** What the interpolation of a node reads, in the order of reading. */
  readonly readsOf: (node: ConfigNode) => readonly NodeRead[]
  /** What `oc.env` reads, `***` where that is secret; undefined where the variable is not set. */
  readonly environment: (name: string) => string | undefined
  /** Whether the schema gives a value at a path where nothing was composed, and which. */
  readonly schemaDefault: (keys: readonly string[]) => { readonly value: unknown } | undefined
}

/**
 * Where the value at a path comes from.
 * @throws {HydraConfigError} `UNKNOWN_PATH` where nothing is, nor ever was
 */
export function explain(explained: Explained, path: string): Provenance {
  const node = explained.tree.get(path)
  if (node !== undefined) return ofNode(explained, node)
  const keys = keysOf(path)
  const history = explained.history.at(keys)
  const made = explained.schemaDefault(keys)
  if (made !== undefined) return { path, value: made.value, origin: { kind: 'schema-default' }, history }
  const last = history.at(-1)
  if (last === undefined) return refuseUnknownPath(explained.tree, path)
  return { path, value: undefined, origin: last.origin, history }
}

function ofNode(explained: Explained, node: ConfigNode): Provenance {
  const { path, raw } = node
  const history = explained.history.at(keysOf(path))
  const origin = raw.origin ?? history.at(-1)?.origin ?? { kind: 'code' }
  const { value, error } = shown(node)
  if (!node.isInterpolation) return { path, value, origin, history }
  return { path, value, origin, history, interpolation: traceOf(explained, node, error) }
}

function shown(node: ConfigNode): { value: unknown; error?: Error } {
  try {
    return { value: plainView(redact(node.resolved())) }
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return { value: plainView(redact(node.raw)), error }
  }
}

/** Reads are explained when they are asked for: a chain of interpolations may be long. */
function traceOf(explained: Explained, node: ConfigNode, error: Error | undefined): InterpolationTrace {
  const written = redact(node.raw)
  let reads: readonly Provenance[] | undefined
  return {
    expr: written.kind === 'scalar' ? String(written.value) : '',
    get reads(): readonly Provenance[] {
      reads ??= explained.readsOf(node).map((read) => readProvenance(explained, read))
      return reads
    },
    ...(error === undefined ? {} : { error }),
  }
}

function readProvenance(explained: Explained, read: NodeRead): Provenance {
  if (!('environment' in read)) return ofNode(explained, read)
  const { environment: name } = read
  return { path: '', value: explained.environment(name), origin: { kind: 'env', name }, history: [] }
}
