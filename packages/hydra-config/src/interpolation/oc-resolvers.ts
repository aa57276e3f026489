import { pythonString, scalarString } from '../value/python-string.ts'
import { list, scalar, type Value } from '../value/value.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { unresolved } from './errors.ts'
import { isMissing, Place } from './place.ts'
import type { Resolver, ResolverContext } from './resolver.ts'

/** The resolvers that OmegaConf brings. */
export const ocResolvers: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  ['oc.env', env],
  ['oc.decode', decode],
  ['oc.create', create],
  ['oc.select', select],
  ['oc.deprecated', deprecated],
  ['oc.dict.keys', dictKeys],
  ['oc.dict.values', dictValues],
])

function env(args: readonly Place[], { environment }: ResolverContext): Value {
  checkCount('oc.env', args, 1, 2)
  const name = textArgument('oc.env', args[0])
  const found = environment(name)
  if (found !== undefined) return scalar(found)
  const fallback = args[1]?.value
  if (fallback === undefined) {
    throw unresolved(
      'InterpolationResolutionError',
      `the environment variable ${JSON.stringify(name)} is not set`,
    )
  }
  return isNull(fallback) ? fallback : scalar(pythonString(fallback))
}

function decode(args: readonly Place[], context: ResolverContext): Value {
  checkCount('oc.decode', args, 1, 1)
  const text = args[0]?.value
  return text !== undefined && isNull(text) ? text : context.decode(textArgument('oc.decode', args[0]))
}

function create(args: readonly Place[], { parent }: ResolverContext): Place | Value {
  checkCount('oc.create', args, 1, 1)
  const value = args[0]?.value
  if (value === undefined || isNull(value)) return scalar(null)
  if (value.kind !== 'scalar') return new Place(value, parent)
  if (typeof value.value === 'string') return new Place(parseYaml(value.value), parent)
  throw unresolved('InterpolationResolutionError', 'oc.create takes a map, a list, a text or null')
}

function select(args: readonly Place[], context: ResolverContext): Place | Value {
  checkCount('oc.select', args, 1, 2)
  const found = context.select(textArgument('oc.select', args[0]), false)
  const selected = found === undefined || isMissing(found) ? args[1] : found
  return selected?.isContainer ? selected : (selected?.value ?? scalar(null))
}

const renamed = "'$OLD_KEY' is deprecated. Change your code and config to use '$NEW_KEY'"

function deprecated(args: readonly Place[], context: ResolverContext): Place {
  checkCount('oc.deprecated', args, 1, 2)
  const key = textArgument('oc.deprecated', args[0])
  const message = args[1] === undefined ? renamed : textArgument('oc.deprecated', args[1])
  const target = context.select(key, false)
  if (target === undefined)
    throw unresolved('InterpolationResolutionError', `oc.deprecated: no key ${JSON.stringify(key)}`)
  const names: Readonly<Record<string, string>> = { OLD_KEY: fullKey(context.node), NEW_KEY: fullKey(target) }
  context.warn(
    message.replace(
      /\$(?:\$|(OLD_KEY|NEW_KEY)(?![A-Za-z0-9_])|\{(OLD_KEY|NEW_KEY)\})/g,
      (_, bare, braced) => {
        const name = bare ?? braced
        return name === undefined ? '$' : (names[name] ?? '')
      },
    ),
  )
  return target
}

function dictKeys(args: readonly Place[], context: ResolverContext): Place {
  checkCount('oc.dict.keys', args, 1, 1)
  const found = mapAt('oc.dict.keys', args[0], context)
  return new Place(list([...found.entries.keys()].map((key) => scalar(key))), context.parent)
}

/** References to the values, so that what they hold is resolved where it stands. */
function dictValues(args: readonly Place[], context: ResolverContext): Place {
  checkCount('oc.dict.values', args, 1, 1)
  const found = mapAt('oc.dict.values', args[0], context)
  const path = textArgument('oc.dict.values', args[0])
  // A relative path starts one level deeper, inside of the list that is made here.
  const from = path.startsWith('.') ? `.${path}` : path
  const references = [...found.entries.keys()].map((key) => scalar(`\${${from}.${scalarString(key)}}`))
  return new Place(list(references), context.parent)
}

function mapAt(name: string, path: Place | undefined, context: ResolverContext): Value & { kind: 'map' } {
  const key = textArgument(name, path)
  const found = context.select(key, true)
  if (found === undefined || isMissing(found)) {
    throw unresolved('InterpolationResolutionError', `${name}: no key ${JSON.stringify(key)}`)
  }
  if (found.value.kind !== 'map' || found.opaque) {
    throw unresolved('InterpolationResolutionError', `${name}: ${JSON.stringify(key)} is no map`)
  }
  return found.value
}

function fullKey(place: Place): string {
  let path = ''
  for (let at = place; at.parent !== undefined; at = at.parent) {
    const inList = at.parent.value.kind === 'list'
    const key = at.key === undefined ? '' : scalarString(at.key)
    const separator = path === '' || path.startsWith('[') ? '' : '.'
    path = `${inList ? `[${key}]` : key}${separator}${path}`
  }
  return path
}

function checkCount(name: string, args: readonly Place[], least: number, most: number): void {
  if (args.length >= least && args.length <= most) return
  const count = least === most ? `${least}` : `${least} or ${most}`
  throw unresolved('InterpolationResolutionError', `${name} takes ${count} arguments, not ${args.length}`)
}

function textArgument(name: string, argument: Place | undefined): string {
  const value = argument?.value
  if (value?.kind === 'scalar' && typeof value.value === 'string') return value.value
  const found = value === undefined ? 'nothing' : pythonString(value).slice(0, 60)
  throw unresolved('InterpolationResolutionError', `${name} takes a text here, not ${found}`)
}

function isNull(value: Value): boolean {
  return value.kind === 'scalar' && value.value === null
}
