import { HydraConfigError, isHydraConfigError, remade } from '../errors.ts'
import { type Place, placePath } from '../value/place.ts'
import { isResolutionError } from './errors.ts'
import type { Frame } from './frame.ts'

const shownText = 200
const withheld = 'it uses a secret, so that the reason is withheld'

/**
 * The error of an interpolation, with its path and origin. What is none of OmegaConf's own errors of interpolation
 * becomes one. Where a secret was used, neither the reason nor the cause is told.
 */
export function failureAt({ node, guarded }: Frame, error: unknown): unknown {
  if (node === undefined) return error
  if (isHydraConfigError(error)) {
    if (isResolutionError(error)) return error.path === undefined ? located(node, guarded, error) : error
    if (error.code === 'INTERPOLATION_PENDING') return error
  }
  const told = guarded && !(isHydraConfigError(error) && error.path !== undefined)
  return new HydraConfigError(
    'INTERPOLATION_UNRESOLVED',
    told
      ? `${named(node)}: ${withheld}`
      : `${kindOf(error)} raised while resolving interpolation: ${reasonOf(error)}`,
    {
      class: 'InterpolationResolutionError',
      ...place(node),
      cause: told ? undefined : error,
    },
  )
}

/** An error about the text of a place, with its path and origin. */
export function located(node: Place, guarded: boolean, error: HydraConfigError): HydraConfigError {
  const problem = guarded ? `${named(node)}: ${withheld}` : error.problem
  const hidden = guarded ? { offset: undefined, cause: undefined } : {}
  return remade(error, { problem, ...hidden, ...place(node) })
}

function place(node: Place): Pick<HydraConfigError, 'path' | 'origin'> {
  return { path: placePath(node), ...(node.value.origin === undefined ? {} : { origin: node.value.origin }) }
}

function named({ value }: Place): string {
  if (value.kind !== 'scalar' || value.secret === true) return 'an interpolation'
  const text = JSON.stringify(String(value.value).slice(0, shownText))
  return String(value.value).length > shownText ? `${text}…` : text
}

function reasonOf(error: unknown): string {
  if (isHydraConfigError(error)) return error.problem
  return error instanceof Error ? error.message : String(error)
}

/** The name of the exception, OmegaConf's where it has one; it tells a bad index by what Python raised. */
function kindOf(error: unknown): string {
  if (isHydraConfigError(error))
    return error.cause instanceof TypeError ? 'TypeError' : (error.class ?? error.name)
  return error instanceof Error ? error.name : typeof error
}
