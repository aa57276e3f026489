import type { ServerResponse } from 'node:http'
import type { RouteRequest } from './route-guard.ts'

/** Tells `guarded` when the answer begins, and when the client goes before that. */
export function watchResponse(response: ServerResponse, guarded: RouteRequest): void {
  const { writeHead } = response
  // Node has no event for it; what sends headers without writeHead comes through it as well.
  Object.assign(response, {
    writeHead: (...head: unknown[]): unknown => {
      const answered: unknown = Reflect.apply(writeHead, response, head)
      guarded.answered(response.statusCode)
      return answered
    },
  })
  response.once('close', () => guarded.left())
}
