import { type App, defineApp } from '@loadbearing/hydra-config/app'
import { dataset, schema } from './configuration.ts'
import { type Programs, programs, run } from './run.ts'

/** The desk with the command line of Hydra; its configuration is in `conf/`. */
export const app: App = appWith(programs)

/** The desk with other programs for its children. */
export function appWith(others: Programs): App {
  return defineApp(
    {
      name: 'delay-desk',
      config: 'config',
      configPath: '../conf',
      schema,
      resolvers: { dataset },
      secrets: { paths: ['store.url'] },
    },
    async (configuration, { config, overrides }) => {
      const configs = config.defaults.map((each) => each.config)
      const status = await run(configuration, { configs, overrides, digest: config.digest() }, others)
      if (status > 0) process.exitCode = status
    },
  )
}
