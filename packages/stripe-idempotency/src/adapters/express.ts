import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { setExecution } from '../http/execution-of.ts'
import { type AdapterOptions, exchangeOf } from './adapter-options.ts'
import { answerNode } from './node-exchange.ts'
import { nodeHead, receiveNode } from './node-request.ts'

/**
 * Idempotency keys for routes of Express 4 and 5. Put authentication, rate limits and compression in front of it,
 * and parsers of bodies behind it; where one has to be in front, `verify: (request, _, bytes) => { request.rawBody = bytes }` keeps the bytes.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function idempotency(options: AdapterOptions<Request>): RequestHandler {
  const exchange = exchangeOf(options)
  const { maxBodyBytes } = exchange.settings
  const answer = async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    try {
      const scope = await options.scope(request)
      const { originalUrl, body } = request
      const rawBody: unknown = Reflect.get(request, 'rawBody')
      const received = await receiveNode({ raw: request, originalUrl, rawBody, body }, maxBodyBytes)
      await answerNode(exchange, { received, scope, response }, (execution) => {
        setExecution(request, execution)
        next()
      })
    } catch (error) {
      next(error)
    }
  }
  return (request, response, next) => {
    const head = nodeHead(request, request.originalUrl)
    if (exchange.concerns(head)) void answer(request, response, next)
    else next()
  }
}

export type { AdapterOptions } from './adapter-options.ts'
