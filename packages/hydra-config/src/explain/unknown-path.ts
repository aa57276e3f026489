import type { ConfigNode } from '../compose/config-node.ts'
import { HydraConfigError } from '../errors.ts'
import type { ResolutionParts } from '../interpolation/options.ts'
import { childPath, joinedPath, keysOf, keyTexts } from '../value/value-path.ts'

/**
 * Says that nothing stands at a path below a node, at which key it leads nowhere, and what is like that key.
 * @throws {HydraConfigError} `UNKNOWN_PATH`, always
 */
export function refuseUnknownPath(
  from: ConfigNode,
  below: string,
  suggestion: ResolutionParts['suggestion'] = () => '',
): never {
  const path = joinedPath(from.path, below)
  let node = from
  for (const key of keysOf(below)) {
    const container = node.isInterpolation ? node.resolved() : node.raw
    const child = node.get(childPath('', key, container))
    if (child !== undefined) {
      node = child
      continue
    }
    const keys = keyTexts(container)
    throw new HydraConfigError(
      'UNKNOWN_PATH',
      `there is nothing at '${path}': ${placeText(node.path, container.kind)} has no '${key}'${suggestion(key, keys)}`,
      { path, class: 'ConfigKeyError', origin: container.origin },
    )
  }
  throw new HydraConfigError('UNKNOWN_PATH', `there is nothing at '${path}'`, {
    path,
    class: 'ConfigKeyError',
  })
}

function placeText(path: string, kind: string): string {
  if (path === '') return 'the configuration'
  return kind === 'scalar' ? `'${path}' is no map or list and` : `'${path}'`
}
