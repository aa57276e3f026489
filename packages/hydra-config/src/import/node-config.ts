import { HydraConfigError } from '../errors.ts'
import { type MapKey, type MapValue, map, scalar, type Value } from '../value/value.ts'
import { foreignMap, globalText, jsonValue, primaryText } from './foreign-value.ts'

/** What node-config takes from the environment. */
export interface NodeConfigOptions {
  /** `NODE_CONFIG_ENV` or `NODE_ENV`. Default `development`. */
  readonly deployment?: string
  /** `NODE_APP_INSTANCE`. Default: none. */
  readonly instance?: string
  /** The name of this machine. Default: none. */
  readonly hostname?: string
  /** A variable of the environment; undefined where it is not set. Default: none is. */
  readonly environment?: (name: string) => string | undefined
}

/** A file that node-config reads: its name without what says how it is written. */
const known = /^(.+)\.(json|yaml|yml)$/
const refused = /\.(?:js|cjs|mjs|ts|json5|hjson|toml|coffee|iced|cson|properties|xml)$/

/**
 * The `config/` folder of node-config as configs of Hydra. `config.yaml` is the primary one: its defaults list has the
 * files in node-config's order, and `deployment=production` chooses another deployment.
 *
 * | node-config | here |
 * |---|---|
 * | `default`, `default-{instance}`, `{hostname}`, `local`, … | `layers/…` |
 * | `{deployment}` | an option of the group `deployment` |
 * | `{deployment}-{instance}`, `{hostname}-{deployment}`, `local-{deployment}`, … | an option of a group that follows `deployment` |
 * | `custom-environment-variables` | `layers/custom-environment-variables`: those that are set, as `${oc.env:NAME}` |
 *
 * Source: the wiki of node-config, "Configuration Files" and "Environment Variables".
 *
 * @param files texts by name, of the folder itself
 * @returns the configs by path
 * @throws {HydraConfigError} `YAML_INVALID`, `CONFIG_INVALID`; `INVALID_OPTION` for files that are programs
 */
export function importNodeConfig(
  files: ReadonlyMap<string, string>,
  options: NodeConfigOptions = {},
): ReadonlyMap<string, string> {
  const { deployment = 'development', environment = () => undefined } = options
  const layers = layersOf(files)
  const variables = layers.get(variablesName)
  layers.delete(variablesName)
  const patterns = patternsOf(options)
  const configs = new Map<string, string>()
  const defaults: Value[] = []
  for (const pattern of patterns) {
    const fixed = layers.get(pattern)
    if (fixed !== undefined) {
      configs.set(`layers/${pattern}.yaml`, globalText(fixed))
      defaults.push(scalar(`layers/${pattern}`))
    }
    if (!pattern.includes('%')) continue
    const group = pattern.replace('%', 'deployment')
    for (const [name, value] of layers) {
      const option = patterns.includes(name) ? undefined : optionOf(name, pattern)
      if (option !== undefined) configs.set(`${group}/${option}.yaml`, globalText(value))
    }
    defaults.push(map([[`optional ${group}`, scalar(pattern === '%' ? deployment : '${deployment}')]]))
  }
  if (variables !== undefined) {
    configs.set(`layers/${variablesName}.yaml`, globalText(setVariables(variables, environment)))
    defaults.push(scalar(`layers/${variablesName}`))
  }
  configs.set('config.yaml', primaryText(defaults))
  return configs
}

const variablesName = 'custom-environment-variables'

/** Names of files in their order, `%` for the deployment. */
function patternsOf({ instance, hostname }: NodeConfigOptions): readonly string[] {
  const short = hostname?.split('.', 1)[0]
  const hosts = [...new Set([short, hostname])].flatMap((host) =>
    host === undefined ? [] : [host, `${host}-%`],
  )
  const names = ['default', '%', ...hosts, 'local', 'local-%']
  return instance === undefined ? names : names.flatMap((name) => [name, `${name}-${instance}`])
}

/** The deployment of a file of this pattern. */
function optionOf(name: string, pattern: string): string | undefined {
  const [before = '', after = ''] = pattern.split('%')
  const isLonger = name.length > before.length + after.length
  if (!isLonger || !name.startsWith(before) || !name.endsWith(after)) return undefined
  return name.slice(before.length, name.length - after.length)
}

function layersOf(files: ReadonlyMap<string, string>): Map<string, MapValue> {
  const layers = new Map<string, MapValue>()
  for (const [file, text] of files) {
    if (refused.test(file)) {
      throw new HydraConfigError('INVALID_OPTION', `${file} cannot be read here: write it as JSON or YAML`)
    }
    const name = known.exec(file)?.[1]
    if (name === undefined) continue
    if (layers.has(name))
      throw new HydraConfigError('INVALID_OPTION', `there are two files of the name ${name}`)
    layers.set(name, foreignMap(file, text))
  }
  return layers
}

/** The values that come from variables which are set: node-config leaves out those that are not, or are empty. */
function setVariables(value: MapValue, environment: (name: string) => string | undefined): MapValue {
  const entries: [MapKey, Value][] = []
  for (const [key, item] of value.entries) {
    const found = item.kind === 'map' ? setFormatted(item, environment) : setVariable(item, environment)
    if (found !== undefined) entries.push([key, found])
  }
  return map(entries)
}

function setFormatted(item: MapValue, environment: (name: string) => string | undefined): Value | undefined {
  const name = item.entries.get('__name')
  if (name === undefined) {
    const inner = setVariables(item, environment)
    return inner.entries.size === 0 ? undefined : inner
  }
  const format = item.entries.get('__format')
  const variable = setVariable(name, environment)
  if (variable === undefined || format?.kind !== 'scalar' || name.kind !== 'scalar') return variable
  const text = environment(String(name.value)) ?? ''
  return decoded(String(name.value), String(format.value), text)
}

function setVariable(name: Value, environment: (name: string) => string | undefined): Value | undefined {
  if (name.kind !== 'scalar' || typeof name.value !== 'string' || !/^[A-Za-z_]\w*$/.test(name.value)) {
    throw new HydraConfigError('CONFIG_INVALID', 'custom-environment-variables must hold names of variables')
  }
  return (environment(name.value) ?? '') === '' ? undefined : scalar(`\${oc.env:${name.value}}`)
}

/** By node-config's formats: what is no string is put in as it is now. */
function decoded(name: string, format: string, text: string): Value | undefined {
  try {
    if (format === 'json') return jsonValue(JSON.parse(text))
    if (format === 'number') return Number.isNaN(Number(text)) ? undefined : jsonValue(Number(text))
    if (format === 'boolean') return scalar(text === 'true')
    if (format === 'yaml') return foreignMap(`${name}.yaml`, text)
  } catch (cause) {
    throw new HydraConfigError('CONFIG_INVALID', `the variable ${name} is no ${format}`, { cause })
  }
  throw new HydraConfigError('CONFIG_INVALID', `the variable ${name} has the unknown format ${format}`)
}
