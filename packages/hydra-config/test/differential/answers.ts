import {
  type ComposeOptions,
  compose,
  defaultsList,
  fromMemory,
  isHydraConfigError,
  parseOverride,
  type Semantics,
  sweep,
} from '@loadbearing/hydra-config'
import { tagElement } from '../conformance/tag.ts'
import { tagValue } from '../conformance/tag-value.ts'
import { valuesOperations } from '../conformance/values-operations.ts'
import type { ConfigCase } from './config-cases.ts'
import type { ValueCase } from './value-cases.ts'

/** What both sides are compared by: the value, or the class of the error and, where Hydra tells one, its offset. */
export type Answer =
  | { readonly ok: unknown }
  | { readonly error: { readonly class: string | undefined; readonly offset?: number | undefined } }

/** The answer of the oracle, its message left out. */
export function answerOf(response: unknown): Answer {
  if (typeof response !== 'object' || response === null) throw new TypeError('the oracle gave no object')
  if ('ok' in response) return { ok: response.ok }
  const { error } = response as { error: { class: string; offset?: number } }
  return {
    error: error.offset === undefined ? { class: error.class } : { class: error.class, offset: error.offset },
  }
}

/** Whether the two say the same; our offset counts only where Hydra tells its own. */
export function sameAnswer(ours: Answer, theirs: Answer): boolean {
  if ('ok' in ours || 'ok' in theirs) return JSON.stringify(ours) === JSON.stringify(theirs)
  return (
    ours.error.class === theirs.error.class &&
    (theirs.error.offset === undefined || ours.error.offset === theirs.error.offset)
  )
}

export function ourOverride(text: string): Answer {
  return answered(() => {
    const { key, package: ofPackage, type, value } = parseOverride(text)
    return { key, package: ofPackage ?? null, type, value: tagElement(value) }
  })
}

/** Our answer on values; the offset stays out, for OmegaConf tells none. */
export function ourValue(input: ValueCase): Answer {
  const answer = answered(() => valuesOperations[input.op]({ id: null, ...input }))
  return 'ok' in answer ? answer : { error: { class: answer.error.class } }
}

export async function ourConfig(
  op: 'defaults' | 'compose' | 'sweep',
  input: ConfigCase,
  semantics: Semantics = 'hydra-1.3',
): Promise<Answer> {
  const options: ComposeOptions = { ...input, source: fromMemory(input.files), semantics }
  try {
    if (op === 'defaults') {
      const list = await defaultsList(options)
      return { ok: { list: list.map(({ config, package: ofPackage }) => ({ config, package: ofPackage })) } }
    }
    if (op === 'sweep') return { ok: { jobs: await sweep(options) } }
    return { ok: { value: tagValue((await compose(options)).tree.raw) } }
  } catch (error) {
    return errorOf(error)
  }
}

function answered(ask: () => unknown): Answer {
  try {
    return { ok: ask() }
  } catch (error) {
    return errorOf(error)
  }
}

function errorOf(error: unknown): Answer {
  if (!isHydraConfigError(error)) throw error
  return { error: { class: error.class, offset: error.offset } }
}
