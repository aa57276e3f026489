import { interpolationAt, Place } from '../value/place.ts'
import { scalarString } from '../value/python-string.ts'
import type { ChangeOptions } from '../value/typing.ts'
import type { Value } from '../value/value.ts'

/**
 * The way to the last of `steps` with the interpolations before it followed, so that `a.x` becomes `b.x` where `a` is
 * `${b}`; undefined where one leads to a container that a resolver made.
 * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
 */
export function followed(
  root: Value,
  steps: readonly string[],
  { resolution }: ChangeOptions,
): readonly string[] | undefined {
  const start = new Place(root)
  let place = start
  let isSame = true
  for (const step of steps.slice(0, -1)) {
    const index = place.value.kind === 'list' && /^[0-9]+$/.test(step)
    const child = place.child(index ? BigInt(step) : step)
    if (child === undefined) return steps
    if (interpolationAt(child) === undefined) place = child
    else {
      isSame = false
      place = resolution.dereference(child)
    }
  }
  if (isSame) return steps
  const way: string[] = steps.slice(-1)
  for (let at = place; at !== start; at = at.parent) {
    if (at.parent === undefined || at.key === undefined || at.opaque) return undefined
    way.unshift(scalarString(at.key))
  }
  return way
}
