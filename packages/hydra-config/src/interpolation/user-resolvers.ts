import { unlessAborted } from '../aborted.ts'
import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { type Place, placePath } from '../value/place.ts'
import { secret } from '../value/secret.ts'
import { type Answer, readAnswer } from './answer.ts'
import type { Call } from './call.ts'
import { isResolutionError, unresolved } from './errors.ts'
import { ocResolvers } from './oc-resolvers.ts'
import type { ResolveOptions } from './options.ts'
import type { ResolverContext, ResolverFunction } from './resolver.ts'
import { ResolverCache } from './resolver-cache.ts'

/** One interpolation that calls a resolver. */
export interface CallSite {
  readonly name: string
  readonly node: Place
  /** Where in the texts of the node it is called: the same at each evaluation. */
  readonly at: string
  /** The arguments as they are written. */
  readonly sources: readonly string[]
  /** As plain values. */
  readonly args: readonly unknown[]
  /** Whether a secret was given to it, as the name, as an argument or as what it selected. */
  secret: boolean
  /** Throws {@link unanswered} where the value waits for a promise. */
  select(path: string): unknown
}

/** Thrown through a resolver that selects what is not answered yet; it is called again when it is. */
export const unanswered: Error = /* @__PURE__ */ new HydraConfigError(
  'INTERPOLATION_PENDING',
  'the value waits for a resolver that has not answered yet: let this error pass',
)

interface Definition {
  readonly resolve: ResolverFunction
  readonly useCache: boolean
}

/** The resolvers of one snapshot that are not OmegaConf's, and what they answered. */
export class UserResolvers {
  readonly #definitions: ReadonlyMap<string, Definition>
  #mention: RegExp | undefined
  readonly #cache: ResolverCache
  readonly #strict: boolean
  /** Of who waits. */
  readonly #signal: AbortSignal | undefined
  /** Aborts the signal of all calls when one resolver fails, for then nobody waits for the others. */
  #end: AbortController | undefined
  #callSignal: AbortSignal | undefined
  readonly #calls = new Map<Place, Map<string, Call>>()
  readonly #awaited = new Set<Promise<void>>()
  readonly #failed = Promise.withResolvers<void>()
  #unkept = 0
  #rejection: { readonly error: unknown } | undefined

  /** @throws HydraConfigError `INVALID_OPTION` */
  constructor({ resolvers = {}, cache, semantics, signal }: ResolveOptions) {
    this.#definitions = new Map(
      Object.entries(resolvers).map(([name, resolver]) => [name, definitionOf(name, resolver)]),
    )
    this.#cache = cache ?? new ResolverCache()
    this.#strict = semantics === 'strict'
    this.#signal = signal
  }

  get isEmpty(): boolean {
    return this.#definitions.size === 0
  }

  has(name: string): boolean {
    return this.#definitions.has(name)
  }

  /** Whether evaluating the text may call one of them, apart from those that the values call to which it leads. */
  mayBeCalledBy(text: string): boolean {
    this.#mention ??= mentionOf(this.#definitions.keys())
    return this.#mention.test(text)
  }

  /** How many answers were given that are not kept: an evaluation during which it grows must not be kept either. */
  get unkept(): number {
    return this.#unkept
  }

  /** What a promise was rejected with, if any was. */
  get rejection(): { readonly error: unknown } | undefined {
    return this.#rejection
  }

  /**
   * The answer; undefined while it is awaited.
   * @throws HydraConfigError `INTERPOLATION_UNRESOLVED`
   */
  answer(site: CallSite): Answer | undefined {
    const call = this.#known(site) ?? this.#call(site)
    if (call === undefined) return undefined
    if (call.outcome === undefined) {
      if (call.settled !== undefined) this.#awaited.add(call.settled)
      return undefined
    }
    if ('error' in call.outcome) throw call.outcome.error
    return call.outcome.answer
  }

  /** Waits until every awaited promise is settled, or one is rejected; false where none is awaited. */
  async settled(): Promise<boolean> {
    const awaited = [...this.#awaited]
    if (awaited.length === 0) return false
    this.#awaited.clear()
    await unlessAborted(Promise.race([Promise.all(awaited), this.#failed.promise]), this.#signal)
    return true
  }

  #known({ name, node, at, sources }: CallSite): Call | undefined {
    return this.#definitions.get(name)?.useCache
      ? this.#cache.get(name, sources)
      : this.#calls.get(node)?.get(at)
  }

  /** Undefined where the resolver selects what is not answered yet. */
  #call(site: CallSite): Call | undefined {
    const definition = this.#definitions.get(site.name)
    if (definition === undefined) throw new TypeError(`there is no resolver ${site.name}`)
    const { context, close } = contextOf(site, definition.useCache, this.#signalOfCalls())
    let answer: unknown
    try {
      answer = applied(definition.resolve, site, context)
    } catch (error) {
      if (close().selectedUnanswered) return undefined
      throw failure(site, error)
    }
    if (close().selectedUnanswered) {
      // The rejection is ours, and heard.
      if (isPromise(answer)) Promise.resolve(answer).catch(() => undefined)
      return undefined
    }
    const call = isPromise(answer)
      ? this.#awaiting(site, answer)
      : { outcome: { answer: readAt(site, answer) }, settled: undefined }
    this.#keep(site, definition, call)
    return call
  }

  #keep(site: CallSite, { useCache }: Definition, call: Call): void {
    if (useCache) this.#cache.set(site.name, site.sources, call)
    else if (this.#strict || call.settled !== undefined) {
      const calls = this.#calls.get(site.node) ?? new Map<string, Call>()
      this.#calls.set(site.node, calls.set(site.at, call))
    } else this.#unkept++
  }

  #awaiting(site: CallSite, answer: PromiseLike<unknown>): Call {
    const settle = async (): Promise<void> => {
      let outcome: Call['outcome']
      try {
        outcome = { answer: readAt(site, await answer) }
      } catch (error) {
        outcome = { error: failure(site, error) }
      }
      call.outcome = outcome
      if ('error' in outcome) this.#rejected(site, call, outcome.error)
    }
    const call: { outcome: Call['outcome']; settled: Promise<void> | undefined } = {
      outcome: undefined,
      settled: undefined,
    }
    call.settled = settle()
    return call
  }

  #rejected({ name, sources }: CallSite, call: Call, error: unknown): void {
    this.#rejection ??= { error }
    if (this.#cache.get(name, sources) === call) this.#cache.delete(name, sources)
    this.#failed.resolve()
    this.#end?.abort(error)
  }

  /** Made for the first call: most configurations call none. */
  #signalOfCalls(): AbortSignal {
    this.#end ??= new AbortController()
    const { signal } = this.#end
    this.#callSignal ??= this.#signal === undefined ? signal : AbortSignal.any([this.#signal, signal])
    return this.#callSignal
  }
}

/** By its name, by a name that is made, or by a text that is read as an expression. */
function mentionOf(definitions: Iterable<string>): RegExp {
  const names = [...definitions, 'oc.decode', 'oc.create'].map((name) => name.replaceAll('.', '\\.'))
  return new RegExp(`\\$\\{[ \\t]*(?:[\\w.-]*\\$\\{|(?:${names.join('|')})[ \\t]*:)`)
}

const nameForm = /^[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*$/

function definitionOf(name: string, resolver: unknown): Definition {
  if (!nameForm.test(name)) {
    throw new HydraConfigError(
      'INVALID_OPTION',
      `resolvers: ${JSON.stringify(name.slice(0, 100))} is no name: letters, digits, _ and -, a letter or _ first, parts joined by dots`,
    )
  }
  if (ocResolvers.has(name)) {
    throw new HydraConfigError(
      'INVALID_OPTION',
      `resolvers: '${name}' is OmegaConf's own: choose another name`,
    )
  }
  if (isFunction(resolver)) return { resolve: resolver, useCache: false }
  if (
    typeof resolver === 'object' &&
    resolver !== null &&
    'resolve' in resolver &&
    isFunction(resolver.resolve)
  ) {
    const useCache = 'useCache' in resolver ? resolver.useCache : false
    if (useCache === undefined || typeof useCache === 'boolean') {
      return { resolve: resolver.resolve, useCache: useCache ?? false }
    }
  }
  throw new HydraConfigError(
    'INVALID_OPTION',
    `resolvers: '${name}' must be a function or { resolve, useCache? }, received ${typeof resolver}`,
  )
}

function isFunction(value: unknown): value is ResolverFunction {
  return typeof value === 'function'
}

function contextOf(
  { node, select }: CallSite,
  useCache: boolean,
  signal: AbortSignal,
): { context: ResolverContext; close: () => { selectedUnanswered: boolean } } {
  let open = true
  let selectedUnanswered = false
  const context: ResolverContext = {
    path: placePath(node),
    signal,
    select(path) {
      if (useCache) {
        throw unresolved(
          'InterpolationResolutionError',
          'a resolver with useCache cannot select: pass it what it needs as an argument',
        )
      }
      if (!open) {
        throw unresolved('InterpolationResolutionError', 'a resolver can select only before its first await')
      }
      try {
        return select(path)
      } catch (error) {
        selectedUnanswered ||= error === unanswered
        throw error
      }
    },
  }
  return {
    context,
    close: () => {
      open = false
      return { selectedUnanswered }
    },
  }
}

function applied(resolve: ResolverFunction, { name, args }: CallSite, context: ResolverContext): unknown {
  if (resolve.length > args.length + 1) {
    throw new TypeError(`'${name}' takes ${resolve.length - 1} arguments or more, not ${args.length}`)
  }
  return Reflect.apply(resolve, undefined, [...args, context])
}

function readAt(site: CallSite, answer: unknown): Answer {
  try {
    const read = readAnswer(answer)
    return site.secret ? { ...read, value: secret(read.value) } : read
  } catch (error) {
    throw failure(site, error)
  }
}

/** The error of a resolver, without its message where that may hold a secret. */
function failure({ name, node, secret: guarded }: Readonly<CallSite>, error: unknown): unknown {
  if (!guarded && isHydraConfigError(error) && isResolutionError(error) && error.path !== undefined)
    return error
  const reason = error instanceof Error ? error.message : String(error)
  const message = `the resolver '${name}' failed`
  return new HydraConfigError(
    'INTERPOLATION_UNRESOLVED',
    guarded ? `${message}; it was given a secret, so that the reason is withheld` : `${message}: ${reason}`,
    {
      class: 'InterpolationResolutionError',
      path: placePath(node),
      origin: node.value.origin,
      ...(guarded ? {} : { cause: error }),
    },
  )
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
