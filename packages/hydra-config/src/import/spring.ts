import { HydraConfigError } from '../errors.ts'
import { merge } from '../merge/merge.ts'
import { type MapValue, map, scalar, type Value } from '../value/value.ts'
import { valueAt } from '../value/value-path.ts'
import { dumpYaml } from '../yaml/dump.ts'
import { foreignMap, globalText, primaryText } from './foreign-value.ts'

/** What Spring Boot is told. */
export interface SpringOptions {
  /** `spring.config.name`. Default: `application`. */
  readonly name?: string
  /** `spring.profiles.active`. Default: that of the files, else `default`. */
  readonly profiles?: readonly string[]
}

/**
 * The YAML configuration of Spring Boot as configs of Hydra: its profiles are the options of the group `profile`.
 *
 * | Spring Boot | here |
 * |---|---|
 * | `application.yaml` | `application`, first in the defaults list of `config.yaml` |
 * | `application-dev.yaml`, a document with `spring.config.activate.on-profile: dev` | `profile/dev` |
 * | `--spring.profiles.active=dev,eu` | `profile=[dev,eu]`; the last one wins |
 * | `spring.profiles.group.prod: [db, mq]` | the defaults list of `profile/prod`: itself, then these |
 * | `${server.port}`, `${server.port:80}` | `${server.port}`, `${oc.select:server.port,80}` |
 * | `${HOST}`, `${HOST:localhost}` | `${oc.env:HOST}`, `${oc.env:HOST,localhost}` |
 *
 * Keys stay as they are written: `max-size` is not `maxSize`. Of several profiles the documents of one go over the files
 * of those before it; in Spring all files go over all documents. Expressions of profiles (`prod & eu`) and imports are
 * refused.
 *
 * Source: the reference of Spring Boot, "Externalized Configuration" and "Profiles".
 *
 * @param files the texts of the files of one folder, by name
 * @returns the configs by path
 * @throws {HydraConfigError} `YAML_INVALID`, `CONFIG_INVALID`
 */
export function importSpring(
  files: ReadonlyMap<string, string>,
  { name = 'application', profiles }: SpringOptions = {},
): ReadonlyMap<string, string> {
  let main = map([])
  const byProfile = new Map<string, MapValue>()
  const add = (profile: string, value: MapValue): void => {
    byProfile.set(profile, merged(byProfile.get(profile) ?? map([]), value))
  }
  const named = [...files].map(([file, text]) => ({ file, text, ofFile: profileOf(file, name) }))
  // The main file first: the files of profiles go over its documents.
  for (const { file, text, ofFile } of named.toSorted((a, b) =>
    (a.ofFile ?? '') < (b.ofFile ?? '') ? -1 : 1,
  )) {
    if (ofFile === undefined) continue
    for (const document of documentsOf(file, text)) {
      const chosen = ofFile === '' ? activationOf(file, document) : [ofFile]
      const own = without(document, ['spring', 'config', 'activate'])
      if (chosen === undefined) main = merged(main, own)
      else for (const profile of chosen) add(profile, own)
    }
  }
  const groups = valueAt(main, ['spring', 'profiles', 'group'])
  const active = profiles ?? namesOf(valueAt(main, ['spring', 'profiles', 'active']))
  const options = active.length === 0 && byProfile.has('default') ? ['default'] : active
  const configs = new Map<string, string>()
  configs.set('application.yaml', globalText(without(main, ['spring', 'profiles'])))
  const members = new Map(groups?.kind === 'map' ? groups.entries : [])
  for (const profile of new Set([...byProfile.keys(), ...[...members.keys()].map(String)])) {
    const grouped = namesOf(members.get(profile))
    const lead = grouped.length === 0 ? '' : primaryText(['_self_', ...grouped].map((each) => scalar(each)))
    const body = byProfile.get(profile) ?? map([])
    configs.set(
      `profile/${profile}.yaml`,
      `# @package _global_\n${lead}${body.entries.size === 0 ? '' : dumpYaml(body)}`,
    )
  }
  const choice = { kind: 'list' as const, items: options.map((each) => scalar(each)) }
  configs.set(
    'config.yaml',
    primaryText([scalar('application'), map([['optional profile', choice]]), scalar('_self_')]),
  )
  return configs
}

/** '' for the main file, undefined for a file that is none of these. */
function profileOf(file: string, name: string): string | undefined {
  const stem = /^(.*)\.ya?ml$/.exec(file)?.[1]
  if (stem === name) return ''
  return stem?.startsWith(`${name}-`) ? stem.slice(name.length + 1) : undefined
}

function documentsOf(file: string, text: string): readonly MapValue[] {
  return text
    .split(/^---(?:[ \t].*)?$/m)
    .filter((each) => each.replace(/^\s*#.*$/gm, '').trim() !== '')
    .map((each) => interpolated(foreignMap(file, each)))
}

/** The profiles that a document is for; undefined for all. */
function activationOf(file: string, document: MapValue): readonly string[] | undefined {
  if (valueAt(document, ['spring', 'config', 'import']) !== undefined) {
    throw new HydraConfigError('CONFIG_INVALID', `${file}: spring.config.import is not read`)
  }
  const given = valueAt(document, ['spring', 'config', 'activate', 'on-profile'])
  if (given === undefined) return undefined
  const names = namesOf(given)
  const expression = names.find((each) => !/^[\w-]+$/.test(each))
  if (expression === undefined && names.length > 0) return names
  throw new HydraConfigError(
    'CONFIG_INVALID',
    `${file}: spring.config.activate.on-profile must name profiles, not '${expression ?? ''}'`,
  )
}

function namesOf(value: Value | undefined): readonly string[] {
  if (value?.kind === 'list') return value.items.flatMap(namesOf)
  if (value?.kind !== 'scalar' || value.value === null) return []
  return String(value.value)
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

function merged(dest: MapValue, src: MapValue): MapValue {
  const value = merge(dest, src)
  return value.kind === 'map' ? value : src
}

/** Without what stands at the path; a map that is empty then goes too. */
function without(value: MapValue, [key = '', ...rest]: readonly string[]): MapValue {
  const inner = value.entries.get(key)
  if (inner === undefined) return value
  const entries = new Map(value.entries)
  const left = rest.length > 0 && inner.kind === 'map' ? without(inner, rest) : undefined
  if (rest.length > 0 && (left === undefined || left.entries.size > 0)) entries.set(key, left ?? inner)
  else entries.delete(key)
  return { ...value, entries }
}

/** Spring's placeholders as OmegaConf's. */
function interpolated<Kind extends Value>(value: Kind): Kind
function interpolated(value: Value): Value {
  if (value.kind === 'list') return { ...value, items: value.items.map((item) => interpolated(item)) }
  if (value.kind === 'map') {
    return {
      ...value,
      entries: new Map(value.entries.entries().map(([key, item]) => [key, interpolated(item)])),
    }
  }
  if (typeof value.value !== 'string') return value
  const text = value.value.replace(
    /\$\{([\w.-]+)(?::([^${}]*))?\}/g,
    (_, key: string, otherwise: string | undefined) => {
      const isVariable = /^[A-Z][A-Z0-9_]*$/.test(key)
      if (!isVariable && otherwise === undefined) return `\${${key}}`
      const fallback = otherwise === undefined ? '' : `,${quoted(otherwise)}`
      return `\${${isVariable ? 'oc.env' : 'oc.select'}:${key}${fallback}}`
    },
  )
  return { ...value, value: text }
}

/** As an argument of a resolver: what is more than a word in quotes. */
function quoted(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`
}
