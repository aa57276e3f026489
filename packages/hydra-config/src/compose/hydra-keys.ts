import { HydraConfigError } from '../errors.ts'
import type { Override } from '../override/override.ts'
import { parsePythonInt } from '../override/python-numbers.ts'
import { pythonString, scalarString } from '../value/python-string.ts'
import { secret } from '../value/secret.ts'
import {
  list,
  type MapKey,
  type MapValue,
  type Scalar,
  type ScalarValue,
  scalar,
  type Value,
} from '../value/value.ts'

/** What one key of Hydra's own node takes. */
type FieldType =
  | 'any'
  | 'bool?'
  | 'int'
  | 'mode?'
  | 'str'
  | 'str?'
  | 'list of str'
  | 'map of str'
  | 'map of any'
  | Struct

/** A mapping that takes no other keys than these. */
interface Struct {
  /** The class of Hydra's own definition, as messages name it. */
  readonly name: string
  readonly fields: Readonly<Record<string, FieldType>>
}

const hydraConf: Struct = {
  name: 'HydraConf',
  fields: {
    defaults: 'any',
    mode: 'mode?',
    searchpath: 'list of str',
    run: { name: 'RunDir', fields: { dir: 'str' } },
    sweep: { name: 'SweepDir', fields: { dir: 'str', subdir: 'str' } },
    hydra_logging: 'map of any',
    job_logging: 'map of any',
    sweeper: 'any',
    launcher: 'any',
    callbacks: 'map of any',
    env: 'any',
    help: { name: 'HelpConf', fields: { app_name: 'str', header: 'str', footer: 'str', template: 'str' } },
    hydra_help: { name: 'HydraHelpConf', fields: { hydra_help: 'str', template: 'str' } },
    output_subdir: 'str?',
    overrides: { name: 'OverridesConf', fields: { hydra: 'list of str', task: 'list of str' } },
    job: {
      name: 'JobConf',
      fields: {
        name: 'str',
        chdir: 'bool?',
        override_dirname: 'str',
        id: 'str',
        num: 'int',
        config_name: 'str?',
        env_set: 'map of str',
        env_copy: 'list of str',
        config: {
          name: 'JobConfig',
          fields: {
            override_dirname: {
              name: 'OverrideDirname',
              fields: { kv_sep: 'str', item_sep: 'str', exclude_keys: 'list of str' },
            },
          },
        },
      },
    },
    runtime: {
      name: 'RuntimeConf',
      fields: {
        version: 'str',
        version_base: 'str',
        cwd: 'str',
        config_sources: 'any',
        output_dir: 'str',
        choices: 'map of any',
      },
    },
    verbose: 'any',
  },
}

/**
 * Hydra's own node has a schema: its mappings take no keys that it does not name.
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function ensureHydraKeys(root: MapValue): void {
  const hydra = root.entries.get('hydra')
  if (hydra === undefined || ofKnownKeys.has(hydra)) return
  ensureKeys(hydra, hydraConf, 'hydra')
  ofKnownKeys.add(hydra)
}

// Values never change, so that what was found out stays true; most compositions have the same node here.
const ofKnownKeys = new WeakSet<Value>()
const ofKnownTypes = new WeakSet<Value>()

/**
 * What the schema of Hydra's own node names stays in it.
 * @param override that has deleted something
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function ensureNoDeletion({ key, text, type }: Pick<Override, 'key' | 'text' | 'type'>): void {
  const [root, ...steps] = key.split('.')
  if (type !== 'DEL' || root !== 'hydra') return
  let at: FieldType | undefined = hydraConf
  for (const step of steps.slice(0, -1)) at = typeof at === 'object' ? fieldOf(at, step) : undefined
  if (typeof at !== 'object') return
  throw new HydraConfigError(
    'COMPOSITION',
    `Error merging override ${text}\n${at.name} (DictConfig) does not support deletion\n    full_key: ${key}`,
    { class: 'ConfigCompositionException', path: key },
  )
}

/**
 * Only the primary config and the command line say where further configs are.
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function ensureNoSearchPath(config: string, embedded: Value): void {
  const hydra = embedded.kind === 'map' ? embedded.entries.get('hydra') : undefined
  const found = hydra?.kind === 'map' ? hydra.entries.get('searchpath') : undefined
  if (found === undefined || (found.kind === 'scalar' && (found.value === null || found.value === '???')))
    return
  throw new HydraConfigError(
    'COMPOSITION',
    `In '${config}': Overriding hydra.searchpath is only supported from the primary config`,
    { class: 'ConfigCompositionException', origin: found.origin, path: 'hydra.searchpath' },
  )
}

/**
 * The root with the values of Hydra's own node in the types of its schema: a job name `5` is a string.
 * @throws {HydraConfigError} `COMPOSITION` for a value that has no such type
 */
export function conformHydra(root: MapValue): MapValue {
  const hydra = root.entries.get('hydra')
  if (hydra === undefined || ofKnownTypes.has(hydra)) return root
  const conformed = conform(hydra, hydraConf, { path: 'hydra', owner: 'dict' })
  ofKnownTypes.add(conformed)
  return conformed === hydra ? root : { ...root, entries: new Map(root.entries).set('hydra', conformed) }
}

function ensureKeys(value: Value, struct: Struct, path: string): void {
  if (value.kind !== 'map') return
  for (const [key, item] of value.entries) {
    const field = typeof key === 'string' ? fieldOf(struct, key) : undefined
    if (field === undefined) {
      const spot: Spot = { path: `${path}.${String(key)}`, owner: struct.name }
      refuse(item, `Key '${String(key)}' not in '${struct.name}'`, spot, 'ConfigKeyError')
    }
    if (typeof field === 'object') ensureKeys(item, field, `${path}.${String(key)}`)
  }
}

function fieldOf({ fields }: Struct, key: string): FieldType | undefined {
  return Object.hasOwn(fields, key) ? fields[key] : undefined
}

/** Where a value stands, as OmegaConf's messages tell it. */
interface Spot {
  readonly path: string
  /** Class of the container. */
  readonly owner: string
}

function conform(value: Value, type: FieldType, spot: Spot): Value {
  if (type === 'any' || isOpen(value)) return value
  if (!(typeof type === 'string' && type.endsWith('?')) && value.kind === 'scalar' && value.value === null) {
    return refuse(value, `field '${spot.path}' is not Optional`, spot)
  }
  if (typeof type === 'object') return conformStruct(value, type, spot)
  if (type === 'list of str') {
    if (value.kind !== 'list') return refuseKind(value, 'ListConfig, list or tuple', spot)
    const items = value.items.map((item, index) =>
      conform(item, 'str', { path: `${spot.path}[${index}]`, owner: 'list' }),
    )
    return items.every((item, index) => item === value.items[index]) ? value : list(items, value.origin)
  }
  if (type === 'map of str' || type === 'map of any') {
    if (value.kind !== 'map') {
      const wanted = `Dict[str, ${type === 'map of str' ? 'str' : 'Any'}]`
      return refuse(value, `Cannot assign ${kindOf(value)} to ${wanted}`, spot)
    }
    return conformEntries(value, () => (type === 'map of str' ? 'str' : 'any'), { ...spot, owner: 'dict' })
  }
  if (value.kind === 'scalar') return conformScalar(value, type, spot)
  return refuse(value, `Cannot convert '${kindOf(value)}' to string: '${pythonString(value)}'`, spot)
}

/** Not there yet, or known only when it is read. */
function isOpen(value: Value): boolean {
  return value.kind === 'scalar' && typeof value.value === 'string' && /^\?\?\?$|\$\{/.test(value.value)
}

function conformStruct(value: Value, struct: Struct, spot: Spot): Value {
  if (value.kind === 'map')
    return conformEntries(value, (key) => fieldOf(struct, key) ?? 'any', { ...spot, owner: struct.name })
  const problem = `Invalid type assigned: ${kindOf(value)} is not a subclass of ${struct.name}. value: ${pythonString(value)}`
  return refuse(value, problem, spot)
}

function conformEntries(value: MapValue, typeOf: (key: string) => FieldType, spot: Spot): MapValue {
  let entries: Map<MapKey, Value> | undefined
  for (const [key, item] of value.entries) {
    const name = String(key)
    const conformed = conform(item, typeOf(name), { path: `${spot.path}.${name}`, owner: spot.owner })
    if (conformed === item) continue
    entries ??= new Map(value.entries)
    entries.set(key, conformed)
  }
  return entries === undefined ? value : { ...value, entries }
}

function conformScalar(
  value: ScalarValue,
  type: 'bool?' | 'int' | 'mode?' | 'str' | 'str?',
  spot: Spot,
): Value {
  const plain = value.value
  if (plain === null) {
    return type.endsWith('?') ? value : refuse(value, `field '${spot.path}' is not Optional`, spot)
  }
  const read =
    type === 'int'
      ? toInteger(plain)
      : type === 'bool?'
        ? toBoolean(plain)
        : type === 'mode?'
          ? toMode(plain)
          : toText(plain)
  if (read === undefined) return refuse(value, problemOf(plain, type), spot)
  if (read === plain) return value
  return value.secret === true ? secret(read) : scalar(read, value.origin)
}

function toText(plain: Scalar): string | undefined {
  return plain instanceof Uint8Array ? undefined : scalarString(plain)
}

function toInteger(plain: Scalar): bigint | undefined {
  if (typeof plain === 'bigint') return plain
  return typeof plain === 'string' ? parsePythonInt(plain) : undefined
}

function toBoolean(plain: Scalar): boolean | undefined {
  if (typeof plain === 'boolean') return plain
  if (typeof plain === 'bigint') return plain !== 0n
  if (typeof plain !== 'string') return undefined
  const number = parsePythonInt(plain)
  if (number !== undefined) return number !== 0n
  if (/^(?:yes|y|on|true)$/i.test(plain)) return true
  return /^(?:no|n|off|false)$/i.test(plain) ? false : undefined
}

function toMode(plain: Scalar): string | undefined {
  const name = plain === 1n ? 'RUN' : plain === 2n ? 'MULTIRUN' : plain
  if (typeof name !== 'string') return undefined
  const bare = name.replace(/^RunMode\./, '')
  return bare === 'RUN' || bare === 'MULTIRUN' ? bare : undefined
}

function problemOf(plain: Scalar, type: string): string {
  const text = scalarString(plain)
  const ofType = kindOf(scalar(plain))
  if (type === 'int') return `Value '${text}' of type '${ofType}' could not be converted to Integer`
  if (type === 'bool?') return `Value '${text}' is not a valid bool (type ${ofType})`
  if (type === 'mode?') return `Invalid value '${text}', expected one of [RUN, MULTIRUN]`
  return `Cannot convert '${ofType}' to string: '${text}'`
}

/** Python's name of the type. */
function kindOf(value: Value): string {
  if (value.kind !== 'scalar') return value.kind === 'map' ? 'dict' : 'list'
  const plain = value.value
  if (plain === null) return 'NoneType'
  if (plain instanceof Uint8Array) return 'bytes'
  return { boolean: 'bool', bigint: 'int', number: 'float', string: 'str' }[
    typeof plain as 'boolean' | 'bigint' | 'number' | 'string'
  ]
}

function refuseKind(value: Value, wanted: string, spot: Spot): never {
  return refuse(value, `Invalid value assigned: ${kindOf(value)} is not a ${wanted}.`, spot)
}

/** In Hydra's words, which name the config or the override that brought the value. */
function refuse(value: Value, problem: string, { path, owner }: Spot, ofClass = 'ValidationError'): never {
  const { origin } = value
  const told = `${problem}\n    full_key: ${path}\n    object_type=${owner}`
  const message =
    origin?.kind === 'override'
      ? `Error merging override ${origin.text}\n${told}`
      : origin?.kind === 'file'
        ? `In '${origin.config}': ${ofClass} raised while composing config:\n${told}`
        : told
  throw new HydraConfigError('COMPOSITION', message, { class: 'ConfigCompositionException' })
}
