import { HydraConfigError } from '../errors.ts'
import type { ConfigRepository } from './config-repository.ts'
import { configPath, type DefaultItem, groupPath } from './default-item.ts'
import type { DefaultsNode } from './defaults-tree.ts'

/**
 * Says that a config is not there, what there is in its place, and where it was looked for.
 * @throws {HydraConfigError} `MISSING_CONFIG`, always
 */
export function refuseMissing(repository: ConfigRepository, { item, parent }: DefaultsNode): never {
  const path = configPath(item)
  const where = parent === undefined ? '' : `In '${configPath(parent.item)}': `
  const sources = repository.sources.map(({ provider, path: of }) => `\tprovider=${provider}, path=${of}`)
  const searched = `\nConfig search path:\n${sources.join('\n')}`
  throw new HydraConfigError('MISSING_CONFIG', `${where}${problem(repository, item, path)}${searched}`, {
    class: 'MissingConfigException',
  })
}

function problem(repository: ConfigRepository, item: DefaultItem, path: string): string {
  if (item.kind === 'config') {
    return item.primary
      ? `Cannot find primary config '${path}'. Check that it's in your config search path.\n`
      : `Could not load '${path}'.\n`
  }
  const options = repository.options(groupPath(item)).map((option) => `\t${option}`)
  const available =
    options.length === 0 ? '' : `\nAvailable options in '${groupPath(item)}':\n${options.join('\n')}`
  return `Could not find '${path}'\n${available}`
}
