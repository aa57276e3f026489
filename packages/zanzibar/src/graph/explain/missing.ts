import { isZanzibarError } from '../../errors.ts'
import type { Relation, Rewrite } from '../../model/type-system.ts'
import { splitUser, typeOf } from '../../tuple/object.ts'
import type { Tuple, TupleKey } from '../../tuple/tuple.ts'
import { type ListObjectsRequest, objectsAsFound } from '../list-objects.ts'
import { type Scope, TupleReader } from '../tuple-reader.ts'
import { maxDistance, maxTuples, maxWalked, newId } from './limits.ts'
import { needed } from './needed.ts'
import { isAllowed } from './prover.ts'

/** Tuples with which the user would be let through; none is among them in vain. */
export async function findMissing(
  scope: Scope,
  key: TupleKey,
  signal: AbortSignal | undefined,
): Promise<readonly TupleKey[]> {
  const holds = (tuples: readonly TupleKey[]): Promise<boolean> =>
    isAllowed(withTuples(scope, tuples), key, signal)
  for await (const found of waysTo(scope, key, everyWay, signal)) {
    if (await holds(found)) return await needed(found, holds)
  }
  return []
}

/** Tuples that lead to the user, each time by another way; what they give may be taken away. */
export async function* waysTo(
  scope: Scope,
  key: TupleKey,
  tried: readonly Ways[],
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly TupleKey[], void, undefined> {
  for (const ways of tried) {
    const seeker = new Seeker(scope, key.user, signal, ways)
    const found = await seeker.seek(key.object, key.relation, new Set())
    if (found !== undefined && found.length <= maxTuples) yield found
  }
}

/** The scope as if these tuples were there too. */
export function withTuples(scope: Scope, added: readonly TupleKey[]): Scope {
  return { ...scope, contextualTuples: [...(scope.contextualTuples ?? []), ...added] }
}

/** Where it is looked. */
interface Ways {
  /** What exclusions give may be taken away as soon as it is there: then a way beside them is looked for. */
  readonly throughExclusions: boolean
  /** Where nothing that is there leads to the user, something new may. */
  readonly throughNew: boolean
  /** What exclusions take away from who has it counts as had: it is to be given back. */
  readonly givenBack: boolean
}

const everyWay: readonly Ways[] = [false, true].flatMap((throughNew) =>
  [true, false].map((throughExclusions) => ({ throughExclusions, throughNew, givenBack: false })),
)

/** For who is to be given back what is taken away. */
export const waysBack: readonly Ways[] = [false, true].map((throughNew) => ({
  throughExclusions: true,
  throughNew,
  givenBack: true,
}))

/** Looks for the fewest tuples that would give a user a relation: its own, or such that lead to what it has. */
class Seeker {
  readonly #scope: Scope
  readonly #reader: TupleReader
  readonly #user: string
  readonly #signal: AbortSignal | undefined
  readonly #ways: Ways
  /** By type and relation, an object that the user has it to. */
  readonly #held = new Map<string, Promise<string | undefined>>()
  #sought = 0

  constructor(scope: Scope, user: string, signal: AbortSignal | undefined, ways: Ways) {
    this.#ways = ways
    this.#scope = scope
    this.#reader = new TupleReader(scope)
    this.#user = user
    this.#signal = signal
  }

  async seek(
    object: string,
    name: string,
    path: ReadonlySet<string>,
  ): Promise<readonly TupleKey[] | undefined> {
    const userset = `${object}#${name}`
    const relation = this.#scope.types.relation(typeOf(object), name)
    if (relation === undefined || path.has(userset)) return undefined
    if (path.size > maxDistance || ++this.#sought > maxWalked) return undefined
    if (await isAllowed(this.#scope, { user: this.#user, relation: name, object }, this.#signal)) return []
    return await this.#through(relation.rewrite, relation, object, new Set(path).add(userset))
  }

  async #through(
    rewrite: Rewrite,
    relation: Relation,
    object: string,
    path: ReadonlySet<string>,
  ): Promise<readonly TupleKey[] | undefined> {
    switch (rewrite.kind) {
      case 'direct':
        return await this.#assigned(relation, object, path)
      case 'computed':
        return await this.seek(object, rewrite.relation.name, path)
      case 'from': {
        const parents = await this.#usersOf(() => this.#reader.users(object, rewrite.tupleset))
        return await this.#fewest([
          ...parents.map((parent) => this.seek(parent.object, rewrite.name, path)),
          ...[...rewrite.computed.keys()].map((type) =>
            this.#by({ type, name: rewrite.name }, path, (parent) => ({
              user: parent,
              relation: rewrite.tupleset.name,
              object,
            })),
          ),
        ])
      }
      case 'union':
        return await this.#fewest(
          rewrite.children.map((child) => this.#through(child, relation, object, path)),
        )
      case 'intersection': {
        const all: TupleKey[] = []
        for (const child of rewrite.children) {
          const found = await this.#through(child, relation, object, path)
          if (found === undefined) return undefined
          all.push(...found)
        }
        return all
      }
      case 'exclusion':
    }
    const found = this.#ways.throughExclusions
      ? await this.#through(rewrite.base, relation, object, path)
      : undefined
    // Who has it already has it taken away: no tuple is missing there.
    return found?.length === 0 && !this.#ways.givenBack ? undefined : found
  }

  async #assigned(
    relation: Relation,
    object: string,
    path: ReadonlySet<string>,
  ): Promise<readonly TupleKey[] | undefined> {
    const tupleOf = (user: string): TupleKey => ({ user, relation: relation.name, object })
    const own = [this.#user, `${typeOf(this.#user)}:*`].map(tupleOf)
    const [first] = own.filter((tuple) => this.#reader.counts(tuple))
    if (first !== undefined) return [first]
    const usersets = await this.#usersOf(() => this.#reader.usersets(object, relation))
    return await this.#fewest([
      ...usersets.map((each) => this.seek(each.object, each.relation, path)),
      ...relation.usersets.map(({ type, name }) =>
        this.#by({ type, name }, path, (of) => tupleOf(`${of}#${name}`)),
      ),
    ])
  }

  /** By a tuple that leads to an object that the user has a relation to, or to a new one and what that needs. */
  async #by(
    { type, name }: Pick<Relation, 'type' | 'name'>,
    path: ReadonlySet<string>,
    tupleOf: (object: string) => TupleKey,
  ): Promise<readonly TupleKey[] | undefined> {
    const key = `${type}#${name}`
    let held = this.#held.get(key)
    if (held === undefined) {
      held = this.#firstHeld({ user: this.#user, type, relation: name })
      this.#held.set(key, held)
    }
    const object = await held
    const isNew = object === undefined
    if (isNew && !this.#ways.throughNew) return undefined
    const tuple = tupleOf(object ?? `${type}:${newId}`)
    if (!this.#reader.counts(tuple)) return undefined
    const rest = isNew ? await this.seek(`${type}:${newId}`, name, path) : []
    return rest && [tuple, ...rest]
  }

  async #firstHeld(request: ListObjectsRequest): Promise<string | undefined> {
    try {
      for await (const [object] of objectsAsFound(this.#scope, request, this.#signal)) return object
    } catch (error) {
      if (this.#signal?.aborted === true || !isZanzibarError(error)) throw error
    }
    return undefined
  }

  async #fewest(
    ways: readonly Promise<readonly TupleKey[] | undefined>[],
  ): Promise<readonly TupleKey[] | undefined> {
    const found = (await Promise.all(ways)).filter((each) => each !== undefined)
    return found.toSorted((a, b) => a.length - b.length)[0]
  }

  async #usersOf(
    read: () => readonly Tuple[] | undefined,
  ): Promise<readonly { readonly object: string; readonly relation: string }[]> {
    for (;;) {
      const tuples = read()
      if (tuples !== undefined) {
        const counting = tuples.filter((tuple) => this.#reader.counts(tuple))
        return counting.slice(0, maxTuples).map(({ user }) => splitUser(user))
      }
      await this.#scope.snapshot.fetch(this.#reader.missing.splice(0), this.#signal)
    }
  }
}
