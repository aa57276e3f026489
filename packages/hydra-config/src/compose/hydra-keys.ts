import { HydraConfigError } from '../errors.ts'
import type { Override } from '../override/override.ts'
import { parsePythonInt } from '../override/python-numbers.ts'
import { pythonString, scalarString } from '../value/python-string.ts'
import { pythonType } from '../value/python-type.ts'
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
import { valueAt } from '../value/value-path.ts'
import { type ContainerTypes, typeLines } from './type-lines.ts'

/** What one key of Hydra's own node takes. */
type FieldType =
  | 'any'
  | 'bool?'
  | 'int'
  | 'int?'
  | 'mode?'
  | 'str'
  | 'str?'
  | 'list of str'
  | 'map of str'
  | 'map of str?'
  | 'map of any'
  | Struct

/** A mapping that takes no other keys than these. */
interface Struct {
  /** The class of Hydra's own definition, as messages name it. */
  readonly name: string
  readonly fields: Readonly<Record<string, FieldType>>
  /** Whether the field that it stands in takes anything else as well. */
  readonly inAny?: true
}

/** What Hydra's own node takes. */
export type HydraSchema = Struct

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

const basicLauncher: Struct = { name: 'BasicLauncherConf', inAny: true, fields: { _target_: 'str' } }
const basicSweeper: Struct = {
  name: 'BasicSweeperConf',
  inAny: true,
  fields: { _target_: 'str', max_batch_size: 'int?', params: 'map of str?' },
}

/** The schema with those of the basic launcher and sweeper, of all the only ones that have one. */
export function schemaOf(basic: { readonly launcher: boolean; readonly sweeper: boolean }): HydraSchema {
  const launcher = basic.launcher ? basicLauncher : 'any'
  const sweeper = basic.sweeper ? basicSweeper : 'any'
  return { ...hydraConf, fields: { ...hydraConf.fields, launcher, sweeper } }
}

/**
 * Hydra's own node has a schema: its mappings take no keys that it does not name.
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function ensureHydraKeys(root: MapValue, schema: HydraSchema): void {
  const hydra = root.entries.get('hydra')
  if (hydra === undefined || ofKnownKeys.get(hydra) === schema) return
  ensureKeys(hydra, schema, 'hydra')
  ofKnownKeys.set(hydra, schema)
}

// Values never change, so that what was found out stays true; most compositions have the same node here.
const ofKnownKeys = new WeakMap<Value, HydraSchema>()
const ofKnownTypes = new WeakMap<Value, HydraSchema>()

/**
 * What the schema of Hydra's own node names stays in it.
 * @param override that has deleted something
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function ensureNoDeletion(
  { key, text, type }: Pick<Override, 'key' | 'text' | 'type'>,
  schema: HydraSchema,
): void {
  const [root, ...steps] = key.split('.')
  if (type !== 'DEL' || root !== 'hydra') return
  let at: FieldType | undefined = schema
  for (const step of steps.slice(0, -1)) at = typeof at === 'object' ? fieldOf(at, step) : undefined
  if (typeof at !== 'object') return
  throw new HydraConfigError(
    'COMPOSITION',
    `Error merging override ${text}\n${at.name} (DictConfig) does not support deletion` +
      typeLines(key, typesOf(at, steps.slice(0, -1))),
    { class: 'ConfigCompositionException', path: key },
  )
}

/** The types of the map or list at a path below `hydra`; undefined where the schema of Hydra's own node tells none. */
export function hydraTypes(
  steps: readonly string[],
  schema: HydraSchema = hydraConf,
): ContainerTypes | undefined {
  let at: FieldType | undefined = schema
  for (const step of steps) at = typeof at === 'object' ? fieldOf(at, step) : undefined
  return at === undefined ? undefined : typesOf(at, steps)
}

/** What OmegaConf says of a list that is to be merged into a mapping of Hydra's own node; undefined for any other. */
export function hydraMergeProblem(embedded: Value, path: string, schema: HydraSchema): string | undefined {
  const [root, ...steps] = path.split('.')
  if (root !== 'hydra') return undefined
  let at: FieldType | undefined = schema
  for (const step of steps) at = typeof at === 'object' ? fieldOf(at, step) : undefined
  const value = valueAt(embedded, [root, ...steps])
  return typeof at === 'object' && value !== undefined ? `Merge error: ${notOfStruct(value, at)}` : undefined
}

function notOfStruct(value: Value, struct: Struct): string {
  return `${pythonType(value)} is not a subclass of ${struct.name}. value: ${pythonString(value)}`
}

function typesOf(type: FieldType, steps: readonly string[]): ContainerTypes {
  if (type === 'list of str') return { object: 'list', reference: 'List[str]' }
  if (type === 'map of str') return { object: 'dict', reference: 'Dict[str, str]' }
  if (type === 'map of str?') return { object: 'dict', reference: 'Optional[Dict[str, str]]' }
  if (type === 'map of any') return { object: 'dict', reference: 'Dict[str, Any]' }
  if (typeof type !== 'object') return { object: 'dict' }
  const inField = steps.length > 0 && type.inAny !== true
  return { object: type.name, ...(inField ? { reference: type.name } : {}) }
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
export function conformHydra(root: MapValue, schema: HydraSchema): MapValue {
  const hydra = root.entries.get('hydra')
  if (hydra === undefined || ofKnownTypes.get(hydra) === schema) return root
  const conformed = conform(hydra, schema, { path: 'hydra', owner: { object: 'dict' } })
  ofKnownTypes.set(conformed, schema)
  return conformed === hydra ? root : { ...root, entries: new Map(root.entries).set('hydra', conformed) }
}

function ensureKeys(value: Value, struct: Struct, path: string): void {
  if (value.kind !== 'map') return
  for (const [key, item] of value.entries) {
    const field = typeof key === 'string' ? fieldOf(struct, key) : undefined
    if (field === undefined) {
      const spot: Spot = { path: `${path}.${String(key)}`, owner: ownerOf(struct) }
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
  /** Types of the container. */
  readonly owner: ContainerTypes
}

function conform(value: Value, type: FieldType, spot: Spot): Value {
  if (type === 'any' || isOpen(value)) return value
  if (typeof type === 'object' && type.inAny === true && isReplacing(value)) return value
  if (!(typeof type === 'string' && type.endsWith('?')) && value.kind === 'scalar' && value.value === null) {
    return refuseNull(value, type, spot)
  }
  if (typeof type === 'object') return conformStruct(value, type, spot)
  if (type === 'list of str') {
    if (value.kind !== 'list') return refuseKind(value, 'ListConfig, list or tuple', spot)
    const items = value.items.map((item, index) =>
      conform(item, 'str', {
        path: `${spot.path}[${index}]`,
        owner: { object: 'list', reference: 'List[str]' },
      }),
    )
    return items.every((item, index) => item === value.items[index]) ? value : list(items, value.origin)
  }
  if (type === 'map of str' || type === 'map of str?' || type === 'map of any') {
    if (value.kind !== 'map') {
      if (type === 'map of str?' && value.kind === 'scalar' && value.value === null) return value
      const wanted = typesOf(type === 'map of str?' ? 'map of str' : type, []).reference
      return refuse(value, `Cannot assign ${pythonType(value)} to ${wanted}`, spot)
    }
    // Brought for null, lists and maps are not looked at.
    const isBrought = (item: Value): boolean =>
      type === 'map of str?' && item.kind !== 'scalar' && item.origin?.kind === 'file'
    return conformEntries(value, (_, item) => (type === 'map of any' || isBrought(item) ? 'any' : 'str'), {
      ...spot,
      owner: typesOf(type, []),
    })
  }
  if (value.kind === 'scalar') return conformScalar(value, type, spot)
  const kind =
    value.origin?.kind === 'file' ? (value.kind === 'map' ? 'DictConfig' : 'ListConfig') : pythonType(value)
  return refuse(value, `Cannot convert '${kind}' to string: '${pythonString(value)}'`, spot)
}

/** Not there yet, or known only when it is read. */
function isOpen(value: Value): boolean {
  return value.kind === 'scalar' && typeof value.value === 'string' && /^\?\?\?$|\$\{/.test(value.value)
}

/** Assigned to a field of any type, where a config is merged into what stands in it. */
function isReplacing(value: Value): boolean {
  const isNull = value.kind === 'scalar' && value.value === null
  return value.kind !== 'map' && (isNull || value.origin?.kind !== 'file')
}

function conformStruct(value: Value, struct: Struct, spot: Spot): Value {
  if (value.kind === 'map')
    return conformEntries(value, (key) => fieldOf(struct, key) ?? 'any', { ...spot, owner: ownerOf(struct) })
  const told = notOfStruct(value, struct)
  if (value.origin?.kind === 'file') {
    return refuse(value, `Merge error: ${told}`, { path: '', owner: { object: 'dict' } })
  }
  return refuse(value, `Invalid type assigned: ${told}`, spot)
}

function ownerOf(struct: Struct): ContainerTypes {
  return typesOf(struct, struct.name === hydraConf.name ? [] : [struct.name])
}

function conformEntries(
  value: MapValue,
  typeOf: (key: string, item: Value) => FieldType,
  spot: Spot,
): MapValue {
  let entries: Map<MapKey, Value> | undefined
  for (const [key, item] of value.entries) {
    const name = String(key)
    const conformed = conform(item, typeOf(name, item), { path: `${spot.path}.${name}`, owner: spot.owner })
    if (conformed === item) continue
    entries ??= new Map(value.entries)
    entries.set(key, conformed)
  }
  return entries === undefined ? value : { ...value, entries }
}

function conformScalar(
  value: ScalarValue,
  type: 'bool?' | 'int' | 'int?' | 'mode?' | 'str' | 'str?',
  spot: Spot,
): Value {
  const plain = value.value
  if (plain === null) {
    return type.endsWith('?') ? value : refuseNull(value, type, spot)
  }
  const read =
    type === 'int' || type === 'int?'
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
  const ofType = pythonType(scalar(plain))
  if (type === 'int' || type === 'int?')
    return `Value '${text}' of type '${ofType}' could not be converted to Integer`
  if (type === 'bool?') return `Value '${text}' is not a valid bool (type ${ofType})`
  if (type === 'mode?') return `Invalid value '${text}', expected one of [RUN, MULTIRUN]`
  return `Cannot convert '${ofType}' to string: '${text}'`
}

function refuseNull(value: Value, type: FieldType, spot: Spot): never {
  const ofType = typeof type === 'string' ? type : type.name
  const problem =
    value.origin?.kind === 'file'
      ? `Incompatible value 'None' for field of type '${ofType}'`
      : `field '${spot.path}' is not Optional`
  return refuse(value, problem, spot)
}

function refuseKind(value: Value, wanted: string, spot: Spot): never {
  return refuse(value, `Invalid value assigned: ${pythonType(value)} is not a ${wanted}.`, spot)
}

/** In Hydra's words, which name the config or the override that brought the value. */
function refuse(value: Value, problem: string, { path, owner }: Spot, ofClass = 'ValidationError'): never {
  const { origin } = value
  const told = problem + typeLines(path, owner)
  const message =
    origin?.kind === 'override'
      ? `Error merging override ${origin.text}\n${told}`
      : origin?.kind === 'file'
        ? `In '${origin.config}': ${ofClass} raised while composing config:\n${told}`
        : told
  throw new HydraConfigError('COMPOSITION', message, { class: 'ConfigCompositionException' })
}
