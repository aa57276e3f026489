import { isZanzibarError, ZanzibarError } from '../errors.ts'
import type { Context, Json } from '../tuple/tuple.ts'
import type { QueryOptions } from '../zanzibar.ts'
import { type ExplanationFormat, explanationLines } from './explained.ts'
import type { Space } from './open-space.ts'
import { treeLines } from './tree-lines.ts'

/** What a command says, and whether it ends well. */
export interface Answer {
  readonly lines: readonly string[]
  readonly failed?: boolean
}

/** Whether a user has a relation to an object. */
export async function checkAnswer(
  { zanzibar }: Space,
  words: readonly string[],
  options: QueryOptions,
): Promise<Answer> {
  const [user, relation, object] = three(words, 'USER RELATION OBJECT, such as user:anne viewer document:1')
  const { outcome, missing } = await zanzibar.evaluate(user, relation, object, options)
  const why = outcome === 'conditional' ? `: ${missing.join(', ')} missing from the context` : ''
  return { lines: [`${outcome}${why}`], failed: outcome !== 'allowed' }
}

/** The same, and why; in another format than text, the reason alone. */
export async function whyAnswer(
  space: Space,
  words: readonly string[],
  options: QueryOptions,
  format: ExplanationFormat = 'text',
): Promise<Answer> {
  const { lines, failed = false } = await checkAnswer(space, words, options)
  // Where a parameter is missing there is nothing more to say.
  if (lines.some((line) => line.startsWith('conditional'))) return { lines, failed }
  const [user, relation, object] = three(words, '')
  const { store, storeId, semantics } = space
  const key = { user, relation, object }
  const why = await explanationLines({ store, storeId, key, context: options.context, semantics, format })
  return { lines: format === 'text' ? [...lines, ...why] : why, failed }
}

/** Objects of a user, or users of an object. */
export async function listAnswer(
  { zanzibar }: Space,
  words: readonly string[],
  options: QueryOptions,
): Promise<Answer> {
  const [first, relation, last] = three(
    words,
    'USER RELATION TYPE for objects, such as user:anne viewer document; or OBJECT RELATION TYPE with --users',
  )
  const lines: string[] = []
  for await (const object of zanzibar.listObjects(first, relation, last, options)) lines.push(object)
  return { lines }
}

/** Who has a relation to an object. */
export async function listUsersAnswer(
  { zanzibar }: Space,
  words: readonly string[],
  options: QueryOptions,
): Promise<Answer> {
  const [object, relation, filter] = three(words, 'OBJECT RELATION TYPE, such as document:1 viewer user')
  const { users, everyone, except } = await zanzibar.listUsers(object, relation, filter, options)
  const all = everyone
    ? [`${filter}:*${except.length > 0 ? ` but not ${except.toSorted().join(', ')}` : ''}`]
    : []
  return { lines: [...all, ...users.toSorted()] }
}

/** One level of how a relation comes about. */
export async function expandAnswer(
  { zanzibar }: Space,
  words: readonly string[],
  depth: number,
): Promise<Answer> {
  const [object, relation, ...more] = words
  if (object === undefined || relation === undefined || more.length > 0)
    throw new ZanzibarError('invalid_option', 'say OBJECT RELATION, such as document:1 viewer')
  return { lines: treeLines(await zanzibar.expand(object, relation, { depth })) }
}

/** @throws ZanzibarError `invalid_option` for what is no object of JSON */
export function contextOf(text: string | undefined): Context | undefined {
  if (text === undefined) return undefined
  try {
    const value = JSON.parse(text) as Json
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Context
  } catch (error) {
    if (isZanzibarError(error)) throw error
  }
  throw new ZanzibarError('invalid_option', `--context must be an object of JSON, not ${text}`)
}

function three(words: readonly string[], what: string): [string, string, string] {
  const [a, b, c, ...more] = words
  if (a === undefined || b === undefined || c === undefined || more.length > 0)
    throw new ZanzibarError('invalid_option', `say ${what}`)
  return [a, b, c]
}
