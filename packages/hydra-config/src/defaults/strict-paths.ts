import { HydraConfigError } from '../errors.ts'
import type { DefaultItem, GroupDefault } from './default-item.ts'

/** `group: a/b` as `group/a: b`, so that what `b` includes is looked up beside it. */
export function normalizedOption(
  group: string,
  value: GroupDefault['value'],
): { group: string; value: GroupDefault['value'] } {
  if (typeof value !== 'string' || !value.includes('/') || value.startsWith('/')) return { group, value }
  if (value.includes('${') || value.split('/').includes('..')) return { group, value }
  const slash = value.lastIndexOf('/')
  return { group: `${group}/${value.slice(0, slash)}`, value: value.slice(slash + 1) }
}

/**
 * Refuses a path of a defaults list or a group override that could lead out of the source: `..`, `\`, NUL, and an
 * option that begins with `/`.
 *
 * @param from the config whose list has it
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function ensureInside(item: DefaultItem, from: string): void {
  if (item.kind === 'config') return ensurePath('config', item.path, from)
  ensurePath('config group', item.group, from)
  if (typeof item.value === 'string') return ensureOption(item.group, item.value, from)
  for (const option of item.value ?? []) ensureOption(item.group, option, from)
}

function ensureOption(group: string, option: string, from: string): void {
  ensurePath('option', option, from)
  if (!option.startsWith('/')) return
  const named = `name the group by /${group.replace(/^\//, '')} and the option alone`
  refuse(from, 'option', option, `is absolute; ${named}`)
}

function ensurePath(what: string, path: string, from: string): void {
  if (path.includes('\\')) refuse(from, what, path, "has a \\; only '/' separates groups")
  if (path.includes('\0')) refuse(from, what, path, 'has a NUL')
  if (path.includes('..') && path.split('/').includes('..')) {
    refuse(from, what, path, "has '..'; begin it with / and name it from the root of the search path")
  }
}

function refuse(from: string, what: string, path: string, why: string): never {
  throw new HydraConfigError('COMPOSITION', `in '${from}': the ${what} ${JSON.stringify(path)} ${why}`, {
    class: 'ConfigCompositionException',
  })
}
