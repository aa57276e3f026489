import type { HandlerContext } from './exchange.ts'

const executions = new WeakMap<object, HandlerContext>()

/**
 * What a handler may know of its execution under an idempotency key: its fence, and how to say that a request was refused
 * before execution began.
 *
 * @param request what the framework gives to its handlers: the `Request` of a Fetch handler, Hono's or Koa's context, the
 * request of Express, Fastify or NestJS
 * @returns undefined where the request has no key
 */
export function executionOf(request: object): HandlerContext | undefined {
  return executions.get(request)
}

export function setExecution(request: object, context: HandlerContext): void {
  executions.set(request, context)
}
