import { lease } from './lease.ts'
import { ask } from './probe.ts'
import { findProgram } from './program.ts'
import type { Recipe } from './recipe.ts'
import type { Service, ServiceOptions } from './service.ts'

/** @internal */
export const redisRecipe = recipeOf('redis', 'LOADBEARING_REDIS_URL', ['redis-server', 'valkey-server'])

/** @internal */
export const valkeyRecipe: Recipe = {
  ...recipeOf('valkey', 'LOADBEARING_VALKEY_URL', ['valkey-server']),
  // What is tested on it is tested on Redis as well.
  mayBeMissing: true,
}

/** @param programs of which the first that is there is taken */
function recipeOf(kind: 'redis' | 'valkey', variable: string, programs: readonly string[]): Recipe {
  const program = (): string | undefined => programs.map(findProgram).find((path) => path !== undefined)
  return {
    kind,
    variable,
    schemes: { redis: 6379 },
    stopSignal: 'SIGTERM',
    abortSignal: 'SIGKILL',
    find: () =>
      program() === undefined
        ? { found: false, reason: `no ${kind}-server on PATH (Debian: apt-get install ${kind}-server)` }
        : { found: true },
    prepare: async () => {},
    command: ({ data, port }) => ({
      program: program() ?? `${kind}-server`,
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
}

/**
 * Redis: that of `LOADBEARING_REDIS_URL` (`redis://…`), else `redis-server` from PATH, or `valkey-server` where there is
 * none, on loopback. Every write is appended to disk and fsynced before it is answered, so what a client was told survives
 * `kill`.
 *
 * @throws HarnessError `SERVICE_NOT_FOUND`, `SERVICE_UNREACHABLE`, `SERVICE_FAILED`, `BAD_OPTION`.
 */
export function redis(options?: ServiceOptions): Promise<Service> {
  return lease(redisRecipe, options)
}

/**
 * Valkey, to be held beside Redis: that of `LOADBEARING_VALKEY_URL` (`redis://…`), else `valkey-server` from PATH, with the
 * settings of {@link redis}.
 *
 * @throws HarnessError `SERVICE_NOT_FOUND`, `SERVICE_UNREACHABLE`, `SERVICE_FAILED`, `BAD_OPTION`.
 */
export function valkey(options?: ServiceOptions): Promise<Service> {
  return lease(valkeyRecipe, options)
}
