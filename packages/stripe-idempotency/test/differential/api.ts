import { getRequestListener } from '@hono/node-server'
import { executionOf, type IdempotencyStore } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/hono'
import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { servedBy } from '../http/serving.ts'

/** What a handler is asked to do, as a parameter. */
export type Deed = 'succeeds' | 'fails' | 'declines' | 'refuses' | 'recovers'

/** An API with the paths of Stripe's, whose handlers do what they are asked to. */
export interface Api extends AsyncDisposable {
  readonly port: number
  /** Requests of an account that were answered, but for those that say that they are somebody else's. */
  attempts(account: string): number
  /** The next handler of the account waits until so many requests of it were answered with 409. Resolves when it has begun. */
  hold(account: string, refusals: number): Promise<void>
  /** Lets the handler that waits go on. */
  release(account: string): void
}

interface Account {
  attempts: number
  refused: number
  executions: number
  held: { readonly refusals: number; readonly begun: () => void; release?: () => void } | undefined
}

/** A header by which a request says that it is somebody else's than the client's. */
export const somebodyElse = 'x-somebody-else'

const declined = { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' }
const broken = { type: 'api_error', message: 'out of order' }
const refused = { type: 'invalid_request_error', param: 'amount', message: 'Invalid integer' }

export async function serveApi(store: IdempotencyStore): Promise<Api> {
  const accounts = new Map<string, Account>()
  const accountOf = (name: string): Account => {
    const account = accounts.get(name) ?? { attempts: 0, refused: 0, executions: 0, held: undefined }
    accounts.set(name, account)
    return account
  }
  const nameOf = (c: Context): string => c.req.header('authorization')?.replace(/^Bearer sk_test_/, '') ?? ''

  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    const account = accountOf(nameOf(c))
    if (c.req.header(somebodyElse) === undefined) account.attempts++
    if (c.res.status !== 409) return
    account.refused++
    if (account.held !== undefined && account.refused >= account.held.refusals) account.held.release?.()
  })
  app.use('/v1/*', idempotency({ store, mode: 'stripe-v1', scope: nameOf }))
  app.use('/v2/*', idempotency({ store, mode: 'stripe-v2', scope: nameOf }))
  app.post('/v1/:object', async (c) => {
    const form = new URLSearchParams(await c.req.text())
    return perform(c, accountOf(nameOf(c)), form.get('description'))
  })
  app.post('/v2/core/:object', async (c) => {
    const params: unknown = await c.req.json()
    return perform(c, accountOf(nameOf(c)), Reflect.get(Object(params), 'description'))
  })
  app.delete('/v2/core/:object/:deed', (c) => perform(c, accountOf(nameOf(c)), c.req.param('deed')))
  const served = await servedBy(getRequestListener(app.fetch))
  return {
    port: Number(new URL(served.url).port),
    attempts: (name) => accountOf(name).attempts,
    hold: (name, refusals) =>
      new Promise((begun) => {
        const account = accountOf(name)
        account.refused = 0
        account.held = { refusals, begun }
      }),
    release: (name) => accountOf(name).held?.release?.(),
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  }
}

async function perform(c: Context, account: Account, deed: unknown): Promise<Response> {
  if (deed === 'refuses') {
    executionOf(c)?.notExecuted()
    return c.json({ error: refused }, 400)
  }
  const execution = ++account.executions
  const { held } = account
  if (held !== undefined) {
    const released = new Promise<void>((resolve) => {
      held.release = resolve
    })
    held.begun()
    await released
    account.held = undefined
  }
  const [status, body] = outcomeOf(deed, execution)
  return c.json(body, status)
}

// `recovers` fails where it is the odd execution of its account.
function outcomeOf(deed: unknown, execution: number): [ContentfulStatusCode, object] {
  if (deed === 'declines') return [402, { error: declined }]
  if (deed === 'fails' || (deed === 'recovers' && execution % 2 === 1)) return [500, { error: broken }]
  return [200, { id: `obj_${execution}`, object: 'thing' }]
}
