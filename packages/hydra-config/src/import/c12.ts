import { HydraConfigError } from '../errors.ts'
import { shown } from '../shown.ts'
import { type MapKey, type MapValue, map, scalar, type Value } from '../value/value.ts'
import { foreignMap, globalText, primaryText } from './foreign-value.ts'

/** What c12 is told. */
export interface C12Options {
  /** `name`: the files are `{name}.config.json` and the like. Default `config`: `config.config`, as with c12. */
  readonly name?: string
  /** `envName`. Default: none. */
  readonly environment?: string
}

const extensions = ['json', 'yaml', 'yml']
const maxLayers = 100

/**
 * The configuration of c12 as configs of Hydra. `config.yaml` is the primary one: its defaults list has the layers that
 * `extends` names, the lowest first, and `env=production` chooses another environment.
 *
 * | c12 | here |
 * |---|---|
 * | `{name}.config` | `layers/main` |
 * | `extends: ['./base']` | `layers/base`, before |
 * | `$production`, `$env: {production: …}` | an option of the group `env/main`, `env/base` and so on, which follow `env` |
 * | null in a layer above another one with the object that it is in | is left out: it does not count in c12 |
 *
 * Two things differ: c12 puts the lists of all layers together, where Hydra takes the last; and a layer with a scalar
 * between two with an object hides the lower one in Hydra. Layers of registries and repositories are refused.
 *
 * Source: the README of c12, "Extending configuration" and "Environment-specific configuration".
 *
 * @param read gives the text of a file by its path, such as `base/app.config.json`; undefined where there is none
 * @returns the configs by path
 * @throws {HydraConfigError} `SOURCE_NOT_FOUND`, `YAML_INVALID`, `CONFIG_INVALID`, `INVALID_OPTION`
 */
export function importC12(
  read: (path: string) => string | undefined,
  { name = 'config', environment }: C12Options = {},
): ReadonlyMap<string, string> {
  const layers: Layer[] = []
  collect({ read, name }, '', layers)
  const configs = new Map<string, string>()
  const defaults: Value[] = [map([['optional env', scalar(environment ?? null)]])]
  const environments = new Set<string>()
  const lower: MapValue[] = []
  for (const { label, value } of layers.toReversed()) {
    const own = without(value, (key) => key === 'extends' || String(key).startsWith('$'))
    configs.set(`layers/${label}.yaml`, globalText(withoutNulls(own, lower)))
    defaults.push(scalar(`layers/${label}`))
    lower.push(own)
    const overlays = environmentsOf(value)
    for (const [option, overlay] of overlays) {
      environments.add(option)
      configs.set(`env/${label}/${option}.yaml`, globalText(withoutNulls(overlay, lower)))
    }
    if (overlays.size > 0) defaults.push(map([[`optional env/${label}`, scalar('${env}')]]))
  }
  // The group itself has nothing: it is there to be chosen from.
  for (const option of environments) configs.set(`env/${option}.yaml`, globalText(map([])))
  configs.set('config.yaml', primaryText(defaults))
  return configs
}

interface Layer {
  /** Such as `main` or `base`: names of files in the order in which they are found. */
  readonly label: string
  readonly value: MapValue
}

interface Files {
  readonly read: (path: string) => string | undefined
  readonly name: string
}

/** The layer of a folder and, behind it, those that it extends: the highest first. */
function collect(files: Files, folder: string, layers: Layer[]): void {
  if (layers.length === maxLayers) {
    throw new HydraConfigError('CONFIG_INVALID', `more than ${maxLayers} layers: does one extend itself?`)
  }
  const value = layerIn(files, folder)
  const label = folder === '' ? 'main' : folder.replaceAll('/', '-')
  layers.push({
    label: layers.some((layer) => layer.label === label) ? `${label}-${layers.length}` : label,
    value,
  })
  const extended = value.entries.get('extends')
  const sources = extended?.kind === 'list' ? extended.items : extended === undefined ? [] : [extended]
  for (const source of sources) collect(files, folderOf(folder, source), layers)
}

function layerIn({ read, name }: Files, folder: string): MapValue {
  const base = folder === '' ? `${name}.config` : `${folder}/${name}.config`
  for (const extension of extensions) {
    const text = read(`${base}.${extension}`)
    if (text !== undefined) return foreignMap(`${base}.${extension}`, text)
  }
  throw new HydraConfigError('SOURCE_NOT_FOUND', `there is no ${base}.json, .yaml or .yml`)
}

/** @throws {HydraConfigError} `INVALID_OPTION` for what is no folder here */
function folderOf(from: string, source: Value): string {
  const path = source.kind === 'scalar' ? source.value : undefined
  const steps = from === '' ? [] : from.split('/')
  if (typeof path === 'string' && /^\.{1,2}(?:\/|$)/.test(path)) {
    for (const step of path.split('/')) {
      if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop()
      else if (step !== '.' && step !== '') steps.push(step)
    }
    return steps.join('/')
  }
  throw new HydraConfigError(
    'INVALID_OPTION',
    `extends must name folders such as './base', not ${shown(path)}`,
  )
}

/** What each environment lays over a layer. */
function environmentsOf(value: MapValue): ReadonlyMap<string, MapValue> {
  const found = new Map<string, MapValue>()
  for (const [key, item] of value.entries) {
    if (typeof key !== 'string' || !key.startsWith('$') || item.kind !== 'map') continue
    if (key === '$meta') continue
    if (key !== '$env') add(key.slice(1), item)
    else for (const [name, inner] of item.entries) if (inner.kind === 'map') add(String(name), inner)
  }
  return found

  /** As c12 does, `$env` over `$production`, key by key. */
  function add(name: string, item: MapValue): void {
    const before = found.get(name)
    found.set(name, before === undefined ? item : map([...before.entries, ...item.entries]))
  }
}

/** Null goes where a layer below has a map around it, from which c12 would take the key. */
function withoutNulls(value: MapValue, lower: readonly MapValue[]): MapValue {
  if (lower.length === 0) return value
  const entries: [MapKey, Value][] = []
  for (const [key, item] of value.entries) {
    if (item.kind === 'scalar' && item.value === null) continue
    const below = lower.map(({ entries: of }) => of.get(key)).filter((each) => each?.kind === 'map')
    entries.push([key, item.kind === 'map' ? withoutNulls(item, below) : item])
  }
  return map(entries)
}

function without(value: MapValue, isLeftOut: (key: MapKey) => boolean): MapValue {
  return map(value.entries.entries().filter(([key]) => !isLeftOut(key)))
}
