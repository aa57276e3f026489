import { compileCondition } from '../condition/condition.ts'
import { type Explanation, explain, type Proof, type Reason, type UnmetCondition } from '../graph/explain.ts'
import { openFgaLimits } from '../limits.ts'
import { type Semantics, typeSystem } from '../model/type-system.ts'
import type { TupleStore } from '../store/tuple-store.ts'
import type { Context, Tuple, TupleKey } from '../tuple/tuple.ts'
import { explanationDot } from './explanation-dot.ts'

/** A question to be explained. */
export interface Explained {
  readonly store: TupleStore
  readonly storeId: string
  readonly key: TupleKey
  readonly context: Context | undefined
  readonly semantics?: Semantics | undefined
  /** Default: `text`. */
  readonly format?: ExplanationFormat | undefined
}

/** Indented lines, a graph in DOT, or the explanation itself as JSON. */
export type ExplanationFormat = 'text' | 'dot' | 'json'

/** Why the answer is yes, or what blocks it or is missing. @throws ZanzibarError where it cannot be told */
export async function explanationLines({
  store,
  storeId,
  key,
  context,
  semantics,
  format = 'text',
}: Explained): Promise<string[]> {
  const stored = await store.readModel(storeId)
  if (stored === undefined) return []
  const snapshot = await store.snapshot(storeId)
  try {
    const types = typeSystem(stored.model, compileCondition, semantics)
    const { maxConditionCost } = openFgaLimits
    const scope = { types, snapshot, context, depthLimit: Number.POSITIVE_INFINITY, maxConditionCost }
    const explanation = await explain(scope, key)
    if (format === 'dot') return [explanationDot(explanation, key)]
    return format === 'json' ? [JSON.stringify(explanation, null, 2)] : linesOf(explanation, key)
  } finally {
    snapshot.release()
  }
}

function linesOf(explanation: Explanation, { user }: TupleKey): string[] {
  if (explanation.allowed) return proofLines(explanation.proof, user, '')
  const { blocking, unmet, missing } = explanation
  const blocks = blocking.map((tuple) => `  ${tupleText(tuple)}`)
  const misses = missing.map((tuple) => `  ${tupleText(tuple)}`)
  if (blocks.length > 0 && misses.length > 0)
    return ['it is blocked by', ...blocks, 'and without that it would hold with', ...misses]
  if (blocks.length > 0) return ['it is blocked by', ...blocks]
  if (unmet.length > 0) return ['it would hold if these conditions did', ...unmet.map(unmetText)]
  if (misses.length > 0) return ['it would hold with', ...misses]
  return ['no tuple that the model takes would make it hold']
}

function proofLines({ userset, because }: Proof, user: string, indent: string): string[] {
  return [`${indent}${user} is ${userset}`, ...reasonLines(because, user, `${indent}  `)]
}

function reasonLines(reason: Reason, user: string, indent: string): string[] {
  if (reason.kind === 'itself') return [`${indent}for it is the same`]
  if (reason.kind === 'tuple') return [`${indent}by ${tupleText(reason.tuple)}`]
  if (reason.kind === 'userset')
    return [`${indent}by ${tupleText(reason.tuple)}`, ...proofLines(reason.of, user, indent)]
  if (reason.kind === 'computed') return proofLines(reason.of, user, indent)
  if (reason.kind === 'all') return reason.of.flatMap((each) => reasonLines(each, user, indent))
  return [...reasonLines(reason.base, user, indent), `${indent}and nothing takes it away`]
}

function unmetText({ tuple, condition, parameters }: UnmetCondition): string {
  return `  ${condition} with ${JSON.stringify(parameters)}, of ${tupleText({ ...tuple, condition: undefined })}`
}

function tupleText({ user, relation, object, condition }: Tuple): string {
  return `${user} ${relation} ${object}${condition === undefined ? '' : ` with ${condition.name}`}`
}
