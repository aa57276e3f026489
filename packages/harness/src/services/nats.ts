import { lease } from './lease.ts'
import { ask } from './probe.ts'
import { findProgram } from './program.ts'
import type { Recipe } from './recipe.ts'
import type { Service, ServiceOptions } from './service.ts'

/** @internal */
export const natsRecipe: Recipe = {
  kind: 'nats',
  variable: 'LOADBEARING_NATS_URL',
  schemes: { nats: 4222 },
  stopSignal: 'SIGTERM',
  abortSignal: 'SIGKILL',
  find: () =>
    findProgram('nats-server') === undefined
      ? { found: false, reason: 'no nats-server on PATH (Debian: apt-get install nats-server)' }
      : { found: true },
  prepare: async () => {},
  command: ({ data, port }) => ({
    program: findProgram('nats-server') ?? 'nats-server',
    args: ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', data],
  }),
  url: ({ port }) => `nats://127.0.0.1:${port}`,
  // The server speaks first, once JetStream has read its store.
  answers: (host, port) =>
    ask(host, port, '', (reply) =>
      reply.includes('\r\n') ? reply.toString('latin1').startsWith('INFO {') : undefined,
    ),
}

/**
 * NATS with JetStream: that of `LOADBEARING_NATS_URL` (`nats://…`), else `nats-server` from PATH, on loopback. Its
 * store survives `kill`; against a loss of power the server itself syncs only every two minutes.
 *
 * @throws HarnessError `SERVICE_NOT_FOUND`, `SERVICE_UNREACHABLE`, `SERVICE_FAILED`, `BAD_OPTION`.
 */
export function nats(options?: ServiceOptions): Promise<Service> {
  return lease(natsRecipe, options)
}
