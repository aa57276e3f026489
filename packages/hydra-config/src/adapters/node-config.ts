import { readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { HydraConfigError } from '../errors.ts'
import { importNodeConfig, type NodeConfigOptions } from '../import/node-config.ts'
import type { ConfigSource } from '../source/source.ts'
import { readConfigText } from './dir-read.ts'
import { systemReason } from './system-error.ts'

export { importNodeConfig, type NodeConfigOptions }

/**
 * A `config/` folder of node-config as a source, read anew each time: see {@link importNodeConfig}. What is not given
 * comes from where node-config has it: `NODE_CONFIG_ENV`, `NODE_ENV`, `NODE_APP_INSTANCE`, the environment and the
 * name of the machine.
 *
 * @throws {HydraConfigError} of `files()`: `SOURCE_NOT_FOUND`, `SOURCE_READ`, and as {@link importNodeConfig}
 */
export function fromNodeConfig(folder: string, options: NodeConfigOptions = {}): ConfigSource {
  const home = resolve(folder)
  const { NODE_CONFIG_ENV, NODE_ENV, NODE_APP_INSTANCE } = process.env
  const deployment = NODE_CONFIG_ENV ?? NODE_ENV
  const asked: NodeConfigOptions = {
    environment: (name) => process.env[name],
    hostname: hostname(),
    ...(deployment === undefined ? {} : { deployment }),
    ...(NODE_APP_INSTANCE === undefined ? {} : { instance: NODE_APP_INSTANCE }),
    ...options,
  }
  return { path: `node-config://${home}`, files: () => importNodeConfig(textsOf(home), asked) }
}

function textsOf(home: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const name of namesOf(home)) {
    const text = /\.(?:json|ya?ml)$/.test(name) ? readConfigText(join(home, name)) : ''
    if (text instanceof HydraConfigError) throw text
    if (text !== undefined) texts.set(name, text)
  }
  return texts
}

function namesOf(home: string): readonly string[] {
  try {
    return readdirSync(home, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [] : [entry.name],
    )
  } catch (cause) {
    const { code, text } = systemReason(cause)
    if (code === 'ENOENT') throw new HydraConfigError('SOURCE_NOT_FOUND', `there is no directory ${home}`)
    throw new HydraConfigError('SOURCE_READ', `${home} cannot be read: ${text}`, { cause })
  }
}
