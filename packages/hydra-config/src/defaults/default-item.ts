import type { Origin } from '../value/value.ts'

/** One entry of a defaults list, in Hydra's words an `InputDefault`; changed while the list is expanded. */
export type DefaultItem = ConfigDefault | GroupDefault

interface Placed {
  /** What follows `@` in the list; relative to the package of the including config. */
  package: string | undefined
  optional: boolean
  /** Group of the including config; undefined until it is known. */
  parentGroup: string | undefined
  /** Package of the including config; undefined until it is known. */
  parentPackage: string | undefined
  /** `# @package` of the config itself, absolute. */
  packageHeader: string | undefined
  /** What chose it: the item of a defaults list, or an override; undefined for the primary config. */
  chosenBy: Origin | undefined
  /** Not there: deleted by `~group`, or optional and not found. */
  deleted: boolean
}

/** `- path/to/config@package`, or `_self_`. */
export interface ConfigDefault extends Placed {
  readonly kind: 'config'
  path: string
  readonly primary: boolean
}

/** `- group@package: option`. */
export interface GroupDefault extends Placed {
  readonly kind: 'group'
  group: string
  /** An option, a list of options, or null for none. */
  value: string | readonly string[] | null
  readonly override: boolean
  /** Whether `+group=option` appended it. */
  readonly appended: boolean
  /** Whether its group is one of the root, whichever config includes it. */
  readonly fromRoot: boolean
  /** What is wrong with the options, unless another choice takes their place. */
  fault?: string | undefined
}

export function configDefault(
  path: string,
  options: Partial<Pick<ConfigDefault, 'package' | 'optional' | 'primary' | 'chosenBy'>> = {},
): ConfigDefault {
  return {
    kind: 'config',
    path,
    primary: options.primary ?? false,
    package: writtenPackage(options.package),
    optional: options.optional ?? false,
    parentGroup: undefined,
    parentPackage: undefined,
    packageHeader: undefined,
    chosenBy: options.chosenBy,
    deleted: false,
  }
}

export function groupDefault(
  group: string,
  value: GroupDefault['value'],
  options: Partial<
    Pick<GroupDefault, 'package' | 'optional' | 'override' | 'appended' | 'fromRoot' | 'chosenBy'>
  > = {},
): GroupDefault {
  return {
    kind: 'group',
    group,
    value,
    override: options.override ?? false,
    appended: options.appended ?? false,
    fromRoot: options.fromRoot ?? false,
    package: writtenPackage(options.package),
    optional: options.optional ?? false,
    parentGroup: undefined,
    parentPackage: undefined,
    packageHeader: undefined,
    chosenBy: options.chosenBy,
    deleted: false,
  }
}

function writtenPackage(written: string | undefined): string | undefined {
  return written === '_here_' ? '' : written
}

export function copyOf(item: DefaultItem): DefaultItem {
  return { ...item }
}

/**
 * Tells an item which config includes it.
 * @param packageOf its package by other rules than those of Hydra 1.3
 */
export function place(
  item: DefaultItem,
  group: string,
  ofPackage: string,
  packageOf?: (item: DefaultItem) => string | undefined,
): void {
  const ofRoot = item.kind === 'group' && item.fromRoot
  item.parentGroup = ofRoot ? '' : group
  item.parentPackage = ofRoot ? '' : ofPackage
  if (packageOf !== undefined) item.package = packageOf(item)
  else if (item.package?.includes('_group_') === true) {
    item.package = `_global_.${item.package.replaceAll('_group_', () => defaultPackage(item))}`
  }
}

/** A header is absolute. */
export function setPackageHeader(item: DefaultItem, header: string | undefined): void {
  if (header === undefined) return
  const absolute = header === '_global_' || header.startsWith('_global_.')
  item.packageHeader = absolute ? header : header === '' ? '_global_' : `_global_.${header}`
}

/** The body of a config that does not say where it goes. It never changes. */
export const addedSelf: ConfigDefault = configDefault('_self_')

export function isSelf(item: DefaultItem): boolean {
  return item.kind === 'config' ? item.path === '_self_' : item.value === '_self_'
}

export function isOverride(item: DefaultItem): boolean {
  return item.kind === 'group' && item.override
}

/** The name of the config in its group; null where no option is chosen. A list has no single name. */
export function nameOf(item: DefaultItem): string | null {
  if (item.kind === 'config') return item.path.slice(item.path.lastIndexOf('/') + 1)
  return typeof item.value === 'string' ? item.value : null
}

/** The group from the root, such as `db/engine`; '' for the root itself. */
export function groupPath(item: DefaultItem): string {
  const own = item.kind === 'group' ? item.group : item.path.slice(0, Math.max(0, item.path.lastIndexOf('/')))
  const absolute = item.kind === 'group' ? item.group.startsWith('/') : item.path.startsWith('/')
  const base = item.parentGroup ?? ''
  if (absolute) return own.slice(1)
  if (base === '' || own === '') return base === '' ? own : base
  return `${base}/${own}`
}

/** The config from the root, such as `db/engine/mysql`. */
export function configPath(item: DefaultItem): string {
  if (item.kind === 'group') return `${groupPath(item)}/${nameOf(item) ?? 'None'}`
  if (item.path.startsWith('/')) return item.path.slice(1)
  return (item.parentGroup ?? '') === '' ? item.path : `${item.parentGroup}/${item.path}`
}

export function defaultPackage(item: DefaultItem): string {
  return dotted(groupPath(item))
}

function dotted(group: string): string {
  return group.includes('/') ? group.replaceAll('/', '.') : group
}

/** The package in the list, else that of the header. */
function ownPackage(item: DefaultItem): string | undefined {
  return item.package ?? item.packageHeader
}

/** Where the config's body goes: '' for the root. */
export function finalPackage(item: DefaultItem): string {
  return packageBelow(item, ownPackage(item))
}

function packageBelow(item: DefaultItem, ofPackage: string | undefined): string {
  const parent = item.parentPackage ?? ''
  const own = ofPackage ?? dotted(relativeGroup(item))
  if (own === '_global_') return ''
  const whole = parent === '' || own === '' ? parent + own : `${parent}.${own}`
  const global = whole.lastIndexOf('_global_')
  return global === -1 ? whole : whole.slice(global + '_global_'.length + 1)
}

function relativeGroup(item: DefaultItem): string {
  const path = item.kind === 'group' ? item.group : item.path
  const relative = path.startsWith('/') ? path.slice(1) : path
  return item.kind === 'group' ? relative : relative.slice(0, Math.max(0, relative.lastIndexOf('/')))
}

/** What an override calls the item: `group`, or `group@package` where the package is not the group's own. */
export function overrideKey(item: DefaultItem): string {
  const group = groupPath(item)
  // Headers do not count here.
  const final = packageBelow(item, item.package)
  return final === dotted(group) ? group : `${group}@${final === '' ? '_global_' : final}`
}
