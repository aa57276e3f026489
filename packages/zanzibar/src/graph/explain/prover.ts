import type { Relation, Rewrite } from '../../model/type-system.ts'
import { splitUser, typeOf } from '../../tuple/object.ts'
import type { Tuple, TupleKey } from '../../tuple/tuple.ts'
import { check } from '../check.ts'
import { decideEach } from '../check-each.ts'
import { type Scope, TupleReader } from '../tuple-reader.ts'
import { maxDistance, maxWalked } from './limits.ts'

/** A relation of an object, and what gives it to the user. */
export interface Proof {
  /** `type:id#relation`. */
  readonly userset: string
  readonly because: Reason
}

export type Reason =
  /** The user is the userset itself. */
  | { readonly kind: 'itself' }
  /** A tuple of the user, or of everyone of its type. */
  | { readonly kind: 'tuple'; readonly tuple: Tuple }
  /** A tuple that leads to a userset which the user is of; of a `viewer from parent`, the tuple of the parent. */
  | { readonly kind: 'userset'; readonly tuple: Tuple; readonly of: Proof }
  | { readonly kind: 'computed'; readonly of: Proof }
  | { readonly kind: 'all'; readonly of: readonly Reason[] }
  /** What it has, and nothing takes away. */
  | { readonly kind: 'butNot'; readonly base: Reason }

/**
 * Whether a check allows it; where that cannot be told it does not.
 *
 * @throws ZanzibarError as {@link check}
 */
export async function isAllowed(
  scope: Scope,
  key: TupleKey,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return (await check(scope, key, signal)).allowed
}

/** A tuple, and the userset that it leads to. */
interface Way {
  readonly tuple: Tuple
  readonly object: string
  readonly relation: string
}

function isReason(reason: Reason | undefined): reason is Reason {
  return reason !== undefined
}

/** Finds what gives a user a relation. */
export class Prover {
  /** What took away what the user would have had: reasons of the far sides of exclusions. */
  readonly takenAway: Reason[] = []
  readonly #scope: Scope
  readonly #reader: TupleReader
  readonly #user: string
  readonly #signal: AbortSignal | undefined
  /** Whether also what is denied is walked through, as far as it goes. */
  readonly #walksDenied: boolean
  #walked = 0

  constructor(scope: Scope, user: string, signal: AbortSignal | undefined, walksDenied = false) {
    this.#walksDenied = walksDenied
    this.#scope = scope
    this.#reader = new TupleReader(scope)
    this.#user = user
    this.#signal = signal
  }

  /** Undefined where the user does not have it. */
  async prove(object: string, name: string, path: ReadonlySet<string>): Promise<Proof | undefined> {
    const userset = `${object}#${name}`
    const relation = this.#scope.types.relation(typeOf(object), name)
    const isReflexive = this.#scope.types.semantics === 'openfga-v1'
    if (isReflexive && userset === this.#user) return { userset, because: { kind: 'itself' } }
    if (relation === undefined || path.has(userset)) return undefined
    const key = { user: this.#user, relation: name, object }
    if (this.#walksDenied) {
      if (path.size > maxDistance || ++this.#walked > maxWalked) return undefined
    } else if (!(await isAllowed(this.#scope, key, this.#signal))) return undefined
    const because = await this.#reason(relation.rewrite, relation, object, new Set(path).add(userset))
    return because && { userset, because }
  }

  async #reason(
    rewrite: Rewrite,
    relation: Relation,
    object: string,
    path: ReadonlySet<string>,
  ): Promise<Reason | undefined> {
    switch (rewrite.kind) {
      case 'direct':
        return (await this.#assigned(relation, object)) ?? (await this.#byUserset(relation, object, path))
      case 'computed': {
        const of = await this.prove(object, rewrite.relation.name, path)
        return of && { kind: 'computed', of }
      }
      case 'from': {
        const tuples = await this.#usable(() => this.#reader.users(object, rewrite.tupleset))
        return await this.#byOneOf(
          tuples.map((tuple) => ({ tuple, object: tuple.user, relation: rewrite.name })),
          path,
        )
      }
      case 'union': {
        for (const child of rewrite.children) {
          const reason = await this.#reason(child, relation, object, path)
          if (reason !== undefined) return reason
        }
        return undefined
      }
      case 'intersection': {
        const of: Reason[] = []
        for (const child of rewrite.children) {
          const reason = await this.#reason(child, relation, object, path)
          if (reason === undefined) return undefined
          of.push(reason)
        }
        return { kind: 'all', of }
      }
      case 'exclusion':
    }
    const base = await this.#reason(rewrite.base, relation, object, path)
    if (base === undefined) return undefined
    const subtracted = await this.#reason(rewrite.subtract, relation, object, path)
    if (subtracted === undefined) return { kind: 'butNot', base }
    this.takenAway.push(subtracted)
    return undefined
  }

  async #assigned(relation: Relation, object: string): Promise<Reason | undefined> {
    const [own] = await this.#usable(() => this.#reader.exact(object, relation, this.#user))
    if (own !== undefined) return { kind: 'tuple', tuple: own }
    if (splitUser(this.#user).relation !== '') return undefined
    const everyone = `${typeOf(this.#user)}:*`
    const [tuple] = await this.#usable(() => this.#reader.wildcards(object, relation, everyone))
    return tuple && { kind: 'tuple', tuple }
  }

  async #byUserset(
    relation: Relation,
    object: string,
    path: ReadonlySet<string>,
  ): Promise<Reason | undefined> {
    const tuples = await this.#usable(() => this.#reader.usersets(object, relation))
    return await this.#byOneOf(
      tuples.map((tuple) => ({ tuple, ...splitUser(tuple.user) })),
      path,
    )
  }

  /** By the first of these usersets that the user is of; what many need of a store that fetches is fetched together. */
  async #byOneOf(usersets: readonly Way[], path: ReadonlySet<string>): Promise<Reason | undefined> {
    const proveOne = async ({ tuple, object, relation }: Way): Promise<Reason | undefined> => {
      const of = await this.prove(object, relation, path)
      return of && { kind: 'userset', tuple, of }
    }
    if (this.#walksDenied) return (await Promise.all(usersets.map(proveOne))).find(isReason)
    const known = usersets.filter(({ object, relation }) => this.#isDefined(object, relation))
    const asked = known.map((way) => ({ ...way, user: this.#user }))
    for await (const part of decideEach(this.#scope, asked, this.#signal)) {
      for (const [way, { allowed }] of part) {
        const reason = allowed ? await proveOne(way) : undefined
        if (reason !== undefined) return reason
      }
    }
    return undefined
  }

  #isDefined(object: string, relation: string): boolean {
    return this.#scope.types.relation(typeOf(object), relation) !== undefined
  }

  /** The tuples that count; one whose condition cannot be told gives no reason. */
  async #usable(read: () => readonly Tuple[] | undefined): Promise<readonly Tuple[]> {
    for (;;) {
      const tuples = read()
      if (tuples !== undefined)
        return tuples.filter((tuple) => this.#reader.counts(tuple) && this.#isMet(tuple))
      await this.#scope.snapshot.fetch(this.#reader.missing.splice(0), this.#signal)
    }
  }

  #isMet(tuple: Tuple): boolean {
    try {
      return this.#reader.isMet(tuple)
    } catch {
      return false
    }
  }
}
