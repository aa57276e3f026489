import { compose } from '@loadbearing/hydra-config'
import { fromDir } from '@loadbearing/hydra-config/node'
import { type Configuration, dataset, schema } from '../src/configuration.ts'

/** What the desk would be configured with. */
export async function configure(overrides: readonly string[]): Promise<Configuration> {
  const source = fromDir(new URL('../conf', import.meta.url))
  const { value } = await compose({ source, config: 'config', overrides, schema, resolvers: { dataset } })
  return value
}
