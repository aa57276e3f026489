import { lease } from './lease.ts'
import { ask } from './probe.ts'
import { findProgram } from './program.ts'
import type { Recipe } from './recipe.ts'
import type { Service, ServiceOptions } from './service.ts'

/** @internal */
export const redisRecipe: Recipe = {
  kind: 'redis',
  variable: 'LOADBEARING_REDIS_URL',
  schemes: { redis: 6379 },
  stopSignal: 'SIGTERM',
  abortSignal: 'SIGKILL',
  find: () =>
    findProgram('redis-server') === undefined
      ? { found: false, reason: 'no redis-server on PATH (Debian: apt-get install redis-server)' }
      : { found: true },
  prepare: async () => {},
  command: ({ data, port }) => ({
    program: findProgram('redis-server') ?? 'redis-server',
    args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', data]
      .concat(['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''])
      .concat(['--daemonize', 'no', '--protected-mode', 'yes']),
  }),
  url: ({ port }) => `redis://127.0.0.1:${port}`,
  answers: (host, port) =>
    ask(host, port, 'PING\r\n', (reply) => {
      const line = reply.toString('latin1')
      if (!line.includes('\r\n')) return undefined
      // One that asks for a password is a server that takes requests.
      return line.startsWith('+PONG') || line.startsWith('-NOAUTH')
    }),
}

/**
 * Redis: that of `LOADBEARING_REDIS_URL` (`redis://…`), else `redis-server` from PATH, on loopback. Every write is
 * appended to disk and fsynced before it is answered, so what a client was told survives `kill`.
 *
 * @throws HarnessError `SERVICE_NOT_FOUND`, `SERVICE_UNREACHABLE`, `SERVICE_FAILED`, `BAD_OPTION`.
 */
export function redis(options?: ServiceOptions): Promise<Service> {
  return lease(redisRecipe, options)
}
