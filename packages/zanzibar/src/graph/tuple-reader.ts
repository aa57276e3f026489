import type { ClosureIndex } from '../leopard/closure-index.ts'
import type { Relation, TypeSystem } from '../model/type-system.ts'
import type { Read, Snapshot } from '../store/snapshot.ts'
import { isTypedWildcard } from '../tuple/object.ts'
import type { Context, Tuple } from '../tuple/tuple.ts'
import { readProblem } from '../tuple/validity.ts'
import { ConditionError } from './outcome.ts'

/** What a question is asked of. */
export interface Scope {
  readonly types: TypeSystem
  readonly snapshot: Snapshot
  /** What is known beforehand of how tuples nest. */
  readonly index?: Pick<ClosureIndex, 'at' | 'revision'> | undefined
  /** Of the conditions. */
  readonly context?: Context | undefined
  /** Tuples that are there for this question only; they are valid. */
  readonly contextualTuples?: readonly Tuple[] | undefined
  /** How many tuples deep the question may lead: at that depth it is an error. `Infinity` for no limit. */
  readonly depthLimit: number
  /** CEL's cost of one evaluation. */
  readonly maxConditionCost: number
  /** Whether what lies below is read in any case: then the user's side is no shorter way. */
  readonly isExplained?: boolean | undefined
  /** Whether the condition of a tuple holds, where that is assumed and not evaluated. */
  readonly isMet?: ((tuple: Tuple) => boolean) | undefined
}

const none: readonly Tuple[] = []

const failure = 'failed to evaluate relationship condition:'

/** Reads for one question: the stored tuples and the contextual ones, what does not count left out. */
export class TupleReader {
  /** What was asked for and is not at hand. */
  readonly missing: Read[] = []
  readonly #scope: Scope
  readonly #contextual: readonly Tuple[]
  /** Undefined where there are none. */
  readonly #byObject: ReadonlyMap<string, ReadonlyMap<string, readonly Tuple[]>> | undefined

  constructor(scope: Scope) {
    this.#scope = scope
    this.#contextual = scope.contextualTuples ?? none
    this.#byObject = this.#contextual.length === 0 ? undefined : byObject(this.#contextual)
  }

  /** The one tuple of that key; a contextual one hides the stored one. Empty where there is none, undefined where it must be fetched. */
  exact(object: string, relation: Relation, user: string): readonly Tuple[] | undefined {
    const contextual = this.#given(object, relation)?.find((each) => each.user === user)
    if (contextual !== undefined) return [contextual]
    return this.#stored({ kind: 'tuple', object, relation: relation.name, user })
  }

  /** The tuples of that key, the stored one and the contextual ones; of v2 as {@link exact}. */
  wildcards(object: string, relation: Relation, user: string): readonly Tuple[] | undefined {
    if (this.#mayHide(user)) return this.exact(object, relation, user)
    const stored = this.#stored({ kind: 'tuple', object, relation: relation.name, user })
    return this.#joined(
      this.#given(object, relation)?.filter((each) => each.user === user),
      stored,
    )
  }

  /** With a `limit`, one more than that stands for all where there are more; so below. */
  usersets(object: string, relation: Relation, limit?: number): readonly Tuple[] | undefined {
    const stored = this.#stored({ kind: 'usersets', object, relation: relation.name, limit })
    return this.#joined(
      this.#given(object, relation)?.filter(({ user }) => user.includes('#')),
      stored,
    )
  }

  /** @param hides whether a contextual tuple hides the stored one of its key, where it may */
  users(
    object: string,
    relation: Relation,
    { hides = false, limit }: { readonly hides?: boolean; readonly limit?: number | undefined } = {},
  ): readonly Tuple[] | undefined {
    const stored = this.#stored({ kind: 'users', object, relation: relation.name, limit })
    const given = this.#given(object, relation)
    if (!hides || given === undefined) return this.#joined(given, stored)
    const hidden = new Set(given.map(({ user }) => user).filter((user) => this.#mayHide(user)))
    return this.#joined(
      given,
      stored?.filter(({ user }) => !hidden.has(user)),
    )
  }

  /**
   * All that a user was assigned.
   *
   * @param hides whether a contextual tuple hides the stored one of its key, as where a check looks for the user's own
   */
  objects(
    relation: Relation,
    user: string,
    { hides, limit }: { readonly hides: boolean; readonly limit?: number },
  ): readonly Tuple[] | undefined {
    const stored = this.#stored({
      kind: 'objects',
      type: relation.type,
      relation: relation.name,
      user,
      limit,
    })
    const given = this.#contextual.filter(
      (each) =>
        each.user === user && each.relation === relation.name && each.object.startsWith(`${relation.type}:`),
    )
    if (given.length === 0 || !hides || !this.#mayHide(user)) return this.#joined(given, stored)
    const hidden = new Set(given.map(({ object }) => object))
    return this.#joined(
      given,
      stored?.filter(({ object }) => !hidden.has(object)),
    )
  }

  /** What a user was assigned and is stored, where that is at hand: nothing is fetched for it. */
  atHand({ type, name }: Relation, user: string, limit?: number): readonly Tuple[] | undefined {
    return this.#scope.snapshot.at({ kind: 'objects', type, relation: name, user, limit })
  }

  /** Whether the model at hand takes the tuple. */
  counts(tuple: Tuple): boolean {
    return readProblem(this.#scope.types, tuple) === undefined
  }

  /** Whether its condition holds. Throws a {@link ConditionError} where it cannot be told. */
  isMet(tuple: Tuple): boolean {
    if (tuple.condition === undefined) return true
    if (this.#scope.isMet !== undefined) return this.#scope.isMet(tuple)
    const { name, context } = tuple.condition
    const condition = this.#scope.types.condition(name)
    if (condition === undefined)
      throw new ConditionError(`${failure} '${name}' - condition was not found`, [])
    const given = this.#scope.context
    const contexts = given === undefined ? [] : [given]
    if (context !== undefined) contexts.push(context)
    const { met, missing } = condition.evaluate(contexts, { maxCost: this.#scope.maxConditionCost })
    if (missing.length > 0) {
      const key = `${tuple.object}#${tuple.relation}@${tuple.user}`
      throw new ConditionError(
        `${failure} '${name}' - tuple '${key}' is missing context parameters '[${missing.join(' ')}]'`,
        missing,
      )
    }
    return met
  }

  /** Whether a contextual tuple of the user hides the stored one: of a user by name, and of everyone where v2 checks. */
  #mayHide(user: string): boolean {
    return isTypedWildcard(user) ? this.#scope.types.semantics === 'openfga-v2' : !user.includes('#')
  }

  #given(object: string, relation: Relation): readonly Tuple[] | undefined {
    return this.#byObject?.get(object)?.get(relation.name)
  }

  #stored(read: Read): readonly Tuple[] | undefined {
    const tuples = this.#scope.snapshot.at(read)
    if (tuples === undefined) this.missing.push(read)
    return tuples
  }

  #joined(
    given: readonly Tuple[] | undefined,
    stored: readonly Tuple[] | undefined,
  ): readonly Tuple[] | undefined {
    if (stored === undefined || given === undefined || given.length === 0) return stored
    return [...given, ...stored]
  }
}

function byObject(tuples: readonly Tuple[]): Map<string, Map<string, Tuple[]>> {
  const objects = new Map<string, Map<string, Tuple[]>>()
  for (const tuple of tuples) {
    const relations = objects.get(tuple.object) ?? new Map<string, Tuple[]>()
    objects.set(tuple.object, relations)
    const same = relations.get(tuple.relation)
    if (same === undefined) relations.set(tuple.relation, [tuple])
    else same.push(tuple)
  }
  return objects
}
