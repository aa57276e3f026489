import { needFeature } from '../need-feature.ts'
import { isMissing, Place, placePath } from '../value/place.ts'
import { scalarString, stringRepr } from '../value/python-string.ts'
import { joinText, secret, shownText } from '../value/secret.ts'
import { list, type ScalarValue, scalar, type Value } from '../value/value.ts'
import { parseElement } from './arguments.ts'
import { checkInterpolation } from './check.ts'
import { unresolved } from './errors.ts'
import type { BuiltIn, CallSite, Evaluation, Search } from './options.ts'

/** The resolvers that OmegaConf brings. */
export const ocResolvers: ReadonlyMap<string, BuiltIn> = new Map<string, BuiltIn>([
  ['oc.env', env],
  ['oc.decode', decode],
  ['oc.create', create],
  ['oc.select', select],
  ['oc.deprecated', deprecated],
  ['oc.dict.keys', dictKeys],
  ['oc.dict.values', dictValues],
])

function env(args: readonly Place[], { options, readEnvironment }: CallSite): Value {
  checkCount('oc.env', args, 1, 2)
  const name = textArgument('oc.env', args[0])
  const found = readEnvironment(name)
  // Of `process.env['__proto__']` an `environment` gives what is no text.
  if (typeof found === 'string') {
    const value = scalar(found, { kind: 'env', name })
    return options.secretEnvironment?.(name) ? secret(value) : value
  }
  const fallback = args[1]?.value
  if (fallback === undefined) {
    const told = stringRepr(`Environment variable '${name}' not found`)
    throw unresolved('InterpolationResolutionError', `KeyError raised while resolving interpolation: ${told}`)
  }
  return isNull(fallback) ? fallback : joinText([fallback])
}

function decode(args: readonly Place[]): Value | Evaluation {
  checkCount('oc.decode', args, 1, 1)
  const text = args[0]?.value
  if (text !== undefined && isNull(text)) return text
  const written = textArgument('oc.decode', args[0])
  return { kind: 'evaluation', text: written, program: parseElement(written) }
}

function create(args: readonly Place[], { parent, options }: CallSite): Place | Value {
  checkCount('oc.create', args, 1, 1)
  const value = args[0]?.value
  // To OmegaConf a map that is null: nothing is below it.
  if (value === undefined || isNull(value)) return new Place(scalar(null), parent)
  if (value.kind !== 'scalar') return new Place(value, parent)
  if (isText(value)) {
    const made = (options.parts?.yaml ?? noYaml)(value.value, checkInterpolation)
    if (value.secret === true && isKeyAlone(made)) {
      throw unresolved('InterpolationResolutionError', 'a secret text is no map or list, and keys are shown')
    }
    return new Place(made, parent)
  }
  throw unresolved('InterpolationResolutionError', 'oc.create takes a map, a list, a text or null')
}

function noYaml(): never {
  return needFeature('oc.create of a text', 'plainYaml or wholeYaml')
}

function select(args: readonly Place[]): Search {
  checkCount('oc.select', args, 1, 2)
  return {
    kind: 'search',
    path: textArgument('oc.select', args[0]),
    throwOnMissing: false,
    receive: (found) => {
      const selected = found === undefined || isMissing(found) ? args[1] : found
      return selected?.isContainer ? selected : (selected?.value ?? scalar(null))
    },
  }
}

/** Whether OmegaConf took a text without structure for a key. */
function isKeyAlone(value: Value): boolean {
  if (value.kind !== 'map' || value.entries.size !== 1) return false
  return value.entries.values().every(isNull)
}

const renamed = "'$OLD_KEY' is deprecated. Change your code and config to use '$NEW_KEY'"

function deprecated(args: readonly Place[], { node, options }: CallSite): Search {
  checkCount('oc.deprecated', args, 1, 2)
  const key = textArgument('oc.deprecated', args[0])
  if (args[1] !== undefined) textArgument('oc.deprecated', args[1])
  const message = args[1] === undefined ? renamed : shownText(args[1].value)
  return {
    kind: 'search',
    path: key,
    throwOnMissing: false,
    receive: (target) => {
      if (target === undefined)
        throw unresolved('InterpolationResolutionError', `oc.deprecated: no key ${JSON.stringify(key)}`)
      options.warn?.(withNames(message, placePath(node), placePath(target)))
      return target
    },
  }
}

function withNames(message: string, oldKey: string, newKey: string): string {
  return message.replace(
    /\$(?:\$|(OLD_KEY|NEW_KEY)(?![A-Za-z0-9_])|\{(OLD_KEY|NEW_KEY)\})/g,
    (_, bare, braced) => {
      const name = bare ?? braced
      if (name === undefined) return '$'
      return name === 'OLD_KEY' ? oldKey : newKey
    },
  )
}

function dictKeys(args: readonly Place[], { parent }: CallSite): Search {
  return mapSearch('oc.dict.keys', args, (keys) => new Place(list(keys.map((key) => scalar(key))), parent))
}

/** References to the values, so that what they hold is resolved where it stands. */
function dictValues(args: readonly Place[], { parent }: CallSite): Search {
  return mapSearch('oc.dict.values', args, (keys, path) => {
    // A relative path starts one level deeper, inside of the list that is made here.
    const from = path.startsWith('.') ? `.${path}` : path
    return new Place(list(keys.map((key) => scalar(`\${${from}.${scalarString(key)}}`))), parent)
  })
}

function mapSearch(
  name: string,
  args: readonly Place[],
  answer: (keys: readonly (Value & { kind: 'scalar' })['value'][], path: string) => Place,
): Search {
  checkCount(name, args, 1, 1)
  const path = textArgument(name, args[0])
  return {
    kind: 'search',
    path,
    throwOnMissing: true,
    receive: (found) => {
      if (found === undefined || isMissing(found)) {
        throw unresolved('ConfigKeyError', `Key not found: '${path}'`)
      }
      if (found.value.kind !== 'map' || found.opaque) {
        throw unresolved('InterpolationResolutionError', `${name}: ${JSON.stringify(path)} is no map`)
      }
      return answer([...found.value.entries.keys()], path)
    },
  }
}

function checkCount(name: string, args: readonly Place[], least: number, most: number): void {
  if (args.length >= least && args.length <= most) return
  const count = least === most ? `${least}` : `${least} or ${most}`
  throw unresolved('InterpolationResolutionError', `${name} takes ${count} arguments, not ${args.length}`)
}

function textArgument(name: string, argument: Place | undefined): string {
  const value = argument?.value
  if (value !== undefined && isText(value)) return value.value
  const found = value === undefined ? 'nothing' : shownText(value).slice(0, 60)
  throw unresolved('InterpolationResolutionError', `${name} takes a text here, not ${found}`)
}

/** To Python the member of an enum, or a path, is none. */
function isText(value: Value): value is ScalarValue & { readonly value: string } {
  return value.kind === 'scalar' && typeof value.value === 'string' && value.as === undefined
}

function isNull(value: Value): boolean {
  return value.kind === 'scalar' && value.value === null
}
