import { isZanzibarError } from '../../errors.ts'
import type { Relation } from '../../model/type-system.ts'
import type { Read, Snapshot } from '../../store/snapshot.ts'
import { isTypedWildcard, splitUser, typeOf } from '../../tuple/object.ts'
import type { Tuple, TupleKey } from '../../tuple/tuple.ts'
import { check } from '../check.ts'
import { objectsAsFound } from '../list-objects.ts'
import { type Scope, TupleReader } from '../tuple-reader.ts'
import { without } from './blocking.ts'
import { maxHeld, maxLooked, maxTried, newId } from './limits.ts'
import { withTuples } from './missing.ts'
import { needed } from './needed.ts'
import { isAllowed } from './prover.ts'

/** What makes a yes of a no: one tuple that is taken away, or one or two that are there. */
export type Few = { readonly blocking: Tuple } | { readonly missing: readonly TupleKey[] }

/**
 * Tries each tuple that a check looked at, each that it looked for or that would lead to what the user has, and two of these
 * together. Where exclusions stand in exclusions, what is on the far side of one is the way to the user for the other, and
 * there is no better than to try.
 */
export async function findFew(
  scope: Scope,
  key: TupleKey,
  signal: AbortSignal | undefined,
): Promise<Few | undefined> {
  const looked = new Looked(scope)
  const { error } = await check(looked.scope, key, signal)
  if (error !== undefined) return undefined
  let left = maxTried
  for (const blocking of looked.tuples()) {
    if (left-- === 0) return undefined
    if (await isAllowed(without(scope, [blocking]), key, signal)) return { blocking }
  }
  const held = new Held(scope, key.user, signal)
  for await (const missing of candidates(scope, looked, held)) {
    if (left-- === 0) return undefined
    if (await isAllowed(withTuples(scope, [missing]), key, signal)) return { missing: [missing] }
  }
  left = maxTried
  for await (const first of candidates(scope, looked, held, true)) {
    const lookedAgain = new Looked(withTuples(scope, [first]))
    await check(lookedAgain.scope, key, signal)
    for await (const second of candidates(scope, lookedAgain, held)) {
      if (left-- === 0) return undefined
      const holds = (tuples: readonly TupleKey[]): Promise<boolean> =>
        isAllowed(withTuples(scope, tuples), key, signal)
      if (await holds([first, second])) return { missing: await needed([first, second], holds) }
    }
  }
  return undefined
}

/** What a check reads. */
class Looked {
  readonly scope: Scope
  readonly reads = new Map<string, Read>()
  readonly #tuples = new Map<string, Tuple>()

  constructor(scope: Scope) {
    const { snapshot } = scope
    const noting: Snapshot = {
      revision: snapshot.revision,
      at: (read) => {
        const tuples = snapshot.at(read)
        if (tuples !== undefined) this.#note(read, tuples)
        return tuples
      },
      fetch: (reads, given) => snapshot.fetch(reads, given),
      release: () => undefined,
    }
    // The index knows of tuples that nobody reads then.
    this.scope = { ...scope, snapshot: noting, index: undefined }
    for (const tuple of scope.contextualTuples ?? []) this.#tuples.set(textOf(tuple), tuple)
  }

  tuples(): readonly Tuple[] {
    return [...this.#tuples.values()]
  }

  /** Those of a type, the first of them. */
  objects(type: string): readonly string[] {
    const named = this.tuples().flatMap(({ object, user }) => [object, splitUser(user).object])
    const found = new Set(named.filter((each) => typeOf(each) === type && !isTypedWildcard(each)))
    return [...found].slice(0, maxLooked)
  }

  #note(read: Read, tuples: readonly Tuple[]): void {
    this.reads.set(JSON.stringify(read), read)
    for (const tuple of tuples) this.#tuples.set(textOf(tuple), tuple)
  }
}

/**
 * Tuples of the user, of everyone of its type, and such that lead to what the user has, where the check looked; `beyond` also
 * such that lead to what else it looked at, or to something new.
 */
async function* candidates(
  scope: Scope,
  looked: Looked,
  held: Held,
  beyond = false,
): AsyncGenerator<TupleKey, void, undefined> {
  const reader = new TupleReader(scope)
  const targetsOf = async (relation: Relation): Promise<ReadonlySet<string>> =>
    new Set([
      ...(await held.of(relation)),
      ...(beyond ? [...looked.objects(relation.type), `${relation.type}:${newId}`] : []),
    ])
  for (const read of looked.reads.values()) {
    if (read.kind === 'objects') continue
    const { object } = read
    const relation = scope.types.relation(typeOf(object), read.relation)
    if (relation === undefined) continue
    const users: string[] = []
    if (read.kind === 'tuple') users.push(read.user)
    else if (read.kind === 'usersets') {
      for (const to of relation.usersets)
        for (const each of await targetsOf(to)) users.push(`${each}#${to.name}`)
    } else for (const to of computedThrough(scope, relation)) users.push(...(await targetsOf(to)))
    for (const each of users) {
      const tuple = { user: each, relation: relation.name, object }
      if (reader.counts(tuple)) yield tuple
    }
  }
}

/** The relations that other ones of a type ask of what `tupleset` leads to. */
function computedThrough({ types }: Scope, tupleset: Relation): readonly Relation[] {
  const found = new Set<Relation>()
  for (const { rewrite } of types.relationsOf(tupleset.type)?.values() ?? []) {
    const open = [rewrite]
    for (let part = open.pop(); part !== undefined; part = open.pop()) {
      if (part.kind === 'from' && part.tupleset === tupleset)
        for (const computed of part.computed.values()) found.add(computed)
      else if (part.kind === 'exclusion') open.push(part.base, part.subtract)
      else if ('children' in part) open.push(...part.children)
    }
  }
  return [...found]
}

/** The first objects that a user has relations to. */
class Held {
  readonly #found = new Map<Relation, Promise<readonly string[]>>()
  readonly #scope: Scope
  readonly #user: string
  readonly #signal: AbortSignal | undefined

  constructor(scope: Scope, user: string, signal: AbortSignal | undefined) {
    this.#scope = scope
    this.#user = user
    this.#signal = signal
  }

  of(relation: Relation): Promise<readonly string[]> {
    const found = this.#found.get(relation) ?? this.#first(relation)
    this.#found.set(relation, found)
    return found
  }

  async #first({ type, name }: Relation): Promise<readonly string[]> {
    const held: string[] = []
    try {
      const request = { user: this.#user, type, relation: name }
      for await (const part of objectsAsFound(this.#scope, request, this.#signal)) {
        held.push(...part.slice(0, maxHeld - held.length))
        if (held.length === maxHeld) break
      }
    } catch (error) {
      if (this.#signal?.aborted === true || !isZanzibarError(error)) throw error
    }
    return held
  }
}

function textOf({ object, relation, user }: TupleKey): string {
  return JSON.stringify([object, relation, user])
}
