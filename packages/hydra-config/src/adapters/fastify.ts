import type { FastifyPluginAsync } from 'fastify'
import { type WatchOptions, watch } from '../hydra.ts'
import type { LiveConfig } from '../watch/live.ts'

/** The type of the configuration of {@link hydraConfig}: to be declared by an app as `{ value: AppConfig }`. */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be merged with an app's own.
export interface Configuration {}

type Configured = Configuration extends { readonly value: infer Value } ? Value : unknown

declare module 'fastify' {
  interface FastifyInstance {
    /** The configuration as it is now: `app.config.current.value`. */
    readonly config: LiveConfig<Configured>
  }
}

/**
 * A plugin of Fastify 4 and 5: composes the configuration, watches its sources and hangs it on the instance as
 * `app.config`, for every plugin and route. The watch ends when the instance is closed; where the configuration cannot be
 * composed, the instance does not become ready.
 *
 * ```ts
 * declare module '@loadbearing/hydra-config/fastify' {
 *   interface Configuration { readonly value: z.output<typeof schema> }
 * }
 * await app.register(hydraConfig, { source: fromDir('conf'), config: 'config', schema })
 * app.get('/', () => app.config.current.value.greeting)
 * ```
 */
export const hydraConfig: FastifyPluginAsync<WatchOptions> = Object.assign(
  (async (app, options) => {
    const live = await watch(options)
    app.addHook('onClose', async () => live[Symbol.asyncDispose]())
    // The schema has checked it; the type is the one that the app declares.
    // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- only where no app declares one
    app.decorate('config', live as LiveConfig<Configured>)
  }) satisfies FastifyPluginAsync<WatchOptions>,
  {
    // As fastify-plugin does: what it decorates is there outside of the plugin too.
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: '@loadbearing/hydra-config',
  },
)
