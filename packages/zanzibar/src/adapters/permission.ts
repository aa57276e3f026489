import { STATUS_CODES } from 'node:http'
import { checkText } from '../given-kinds.ts'
import { isZanzibarError } from '../index.ts'
import type { Definitions } from '../model/define-model.ts'
import type { definitions, ObjectRef, RelationOf } from '../model/typed-model.ts'
import { countedOver, isTypedWildcard, isValidObject } from '../tuple/object.ts'
import type { Context } from '../tuple/tuple.ts'
import type { Zanzibar } from '../zanzibar.ts'

/** What answers. One of a model of `defineModel` makes guards that take only the relations of its types. */
export type Checks = Pick<Zanzibar, 'check'>

/** What the guards of a framework are told once. `Request` is what that framework gives to its handlers. */
export interface AuthorizationOptions<Request, Z extends Checks = Checks> {
  readonly zanzibar: Z
  /** Who asks, as `user:anne`; undefined or null where nobody has signed in, which is answered with 401. */
  readonly user: (request: Request) => MaybePromise<string | null | undefined>
  /** Values of the parameters of conditions. */
  readonly context?: (request: Request) => MaybePromise<Context | undefined>
  /** The status of what is denied; 404 keeps secret that the object is there. Default: 403. */
  readonly denied?: 403 | 404
}

/** The object that a request is about: always the same one, or one for each request. */
export type ObjectOf<Request> = string | ((request: Request) => MaybePromise<string>)

/** Makes guards: who has `relation` to the object gets through. */
export type RequiresOf<Z, Request, Guard> =
  unknown extends DefinitionsOf<Z>
    ? (relation: string, object: ObjectOf<Request>) => Guard
    : DefinitionsOf<Z> extends infer D extends Definitions
      ? <const O extends ObjectRef<D>>(
          relation: RelationOf<D, O>,
          object: O | ((request: Request) => MaybePromise<O>),
        ) => Guard
      : never

type DefinitionsOf<Z> = Z extends { readonly [definitions]?: infer D } ? D : unknown

type MaybePromise<T> = T | Promise<T>

/** A header of requests: a token, so that the answer is as of its moment or a later one. In lower case. */
export const atLeastHeader = 'zanzibar-at-least'

/** Why a request does not get through. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404
  /** Tells nothing that the caller did not send. */
  readonly message: string
  readonly headers: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/**
 * Asks whether a request may pass.
 *
 * @param atLeast what the request's header says
 * @returns undefined where it may
 * @throws ZanzibarError of the check, but for those that are about the token: these are the caller's
 */
export async function refusalOf<Request>(
  { zanzibar, user, context, denied = 403 }: AuthorizationOptions<Request>,
  relation: string,
  object: ObjectOf<Request>,
  request: Request,
  atLeast: string | undefined,
): Promise<Refusal | undefined> {
  const who = await user(request)
  if (who === undefined || who === null) return refusal(401, { 'www-authenticate': 'Bearer' })
  const what = typeof object === 'string' ? object : await object(request)
  checkText('object', what)
  // What comes out of a path is any text. Nobody has a relation to what cannot be an object.
  if (!isValidObject(what) || isTypedWildcard(what) || countedOver(what, 256)) return refusal(denied)
  const given = await context?.(request)
  try {
    const isAllowed = await zanzibar.check(who, relation, what, {
      ...(given === undefined ? {} : { context: given }),
      ...(atLeast === undefined ? {} : { atLeast }),
    })
    return isAllowed ? undefined : refusal(denied)
  } catch (error) {
    if (!isZanzibarError(error) || !tokenCodes.has(error.code)) throw error
    return { ...refusal(400), message: `Zanzibar-At-Least: ${error.message}`, cause: error }
  }
}

/** A refusal as an error with what handlers of errors read: `status`, `statusCode`, `headers`, `expose`. */
export function httpErrorOf({ status, message, headers, cause }: Refusal): Error {
  return Object.assign(new Error(message, cause === undefined ? {} : { cause }), {
    status,
    statusCode: status,
    headers,
    expose: true,
  })
}

const tokenCodes: ReadonlySet<string> = new Set([
  'token_invalid',
  'token_of_another_store',
  'token_from_the_future',
  'token_expired',
])

function refusal(status: Refusal['status'], headers: Refusal['headers'] = {}): Refusal {
  return { status, message: STATUS_CODES[status] ?? String(status), headers }
}
