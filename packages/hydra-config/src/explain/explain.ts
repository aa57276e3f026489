import type { ConfigNode, NodeRead } from '../compose/config-node.ts'
import { isHydraConfigError } from '../errors.ts'
import type { ResolutionParts } from '../interpolation/options.ts'
import { plainView } from '../value/plain.ts'
import { hasSecret, redact, redactedText } from '../value/secret.ts'
import type { Origin, Value } from '../value/value.ts'
import { keysOf } from '../value/value-path.ts'
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
  readonly suggestion?: ResolutionParts['suggestion'] | undefined
  /** What the schema made of the configuration has at a path, without secrets; undefined where there is no schema. */
  readonly output: ((keys: readonly string[]) => { readonly value: unknown } | undefined) | undefined
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
  const made = explained.output?.(keys)
  if (made !== undefined) return { path, value: made.value, origin: { kind: 'schema-default' }, history }
  const last = history.at(-1)
  if (last === undefined) return refuseUnknownPath(explained.tree, path, explained.suggestion)
  return { path, value: undefined, origin: last.origin, history }
}

function ofNode(explained: Explained, node: ConfigNode): Provenance {
  const { path, raw } = node
  const { value, error } = resolvedOf(node)
  const seal = hasSecret(raw) || hasSecret(value) ? sealed : open
  const history = explained.history.at(keysOf(path)).map((step) => seal(step))
  const origin = seal({ origin: raw.origin ?? history.at(-1)?.origin ?? { kind: 'code' } }).origin
  const output = value.kind === 'scalar' && seal === open ? explained.output?.(keysOf(path)) : undefined
  const shown = output === undefined ? plainView(redact(value)) : output.value
  const found = { path, value: shown, origin, history }
  return node.isInterpolation ? { ...found, interpolation: traceOf(explained, node, error) } : found
}

/** What a node leads to; where that cannot be told, what is written there, and why. */
function resolvedOf(node: ConfigNode): { value: Value; error?: Error } {
  try {
    return { value: node.resolved() }
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return { value: node.raw, error }
  }
}

function open<Part>(part: Part): Part {
  return part
}

/** Without what a secret was before, and without what an override says of it. */
function sealed<Part extends { readonly origin: Origin; readonly value?: unknown }>(part: Part): Part {
  const { origin } = part
  const shown =
    origin.kind === 'override' && origin.end > origin.start
      ? {
          ...origin,
          text: origin.text.slice(0, origin.start) + redactedText,
          end: origin.start + redactedText.length,
        }
      : origin
  const isInterpolation = typeof part.value === 'string' && part.value.includes('${')
  const isPlain = part.value !== undefined && !isInterpolation
  return { ...part, origin: shown, ...(isPlain && { value: redactedText }) }
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
