import { isHydraConfigError } from '../errors.ts'
import type { AppCall } from './app-call.ts'

/** A composition that failed, and the override that makes it. */
export interface Fault {
  readonly override: string
  readonly message: string
}

/** Composes every option of every config group, each alone beside the overrides of the call. */
export async function faultsOf(
  call: AppCall,
): Promise<{ readonly count: number; readonly faults: readonly Fault[] }> {
  const given = call.arguments.overrides
  const overrides = [undefined, ...(await optionOverrides(call))]
  const faults: Fault[] = []
  for (const override of overrides) {
    try {
      await call.compose('RUN', override === undefined ? given : [...given, override])
    } catch (error) {
      if (!isHydraConfigError(error)) throw error
      faults.push({ override: override ?? '(as it is)', message: error.message })
    }
  }
  return { count: overrides.length, faults }
}

/** `group=option` where a defaults list has the group, at each of its packages; else `+group=option`. */
async function optionOverrides(call: AppCall): Promise<readonly string[]> {
  const given = call.arguments.overrides
  const repository = await call.openRepository(call.config, given)
  const chosen = await chosenKeys(call)
  const groups = [...repository.groups()].filter((group) => !/^hydra(?:\/|$)/.test(group)).toSorted()
  return groups.flatMap((group) => {
    const keys = chosen.filter((key) => key === group || key.startsWith(`${group}@`))
    const targets = keys.length === 0 ? [`+${group}`] : keys
    return repository.options(group).flatMap((option) => targets.map((target) => `${target}=${option}`))
  })
}

/** None where even the primary config cannot be expanded: that is told on its own. */
async function chosenKeys(call: AppCall): Promise<readonly string[]> {
  try {
    const { choices } = await call.expand(call.arguments.overrides)
    return [...choices.known.keys()]
  } catch (error) {
    if (isHydraConfigError(error)) return []
    throw error
  }
}
