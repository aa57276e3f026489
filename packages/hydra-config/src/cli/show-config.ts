import { withoutChild } from '../compose/path-edit.ts'
import type { RunConfig } from '../job/run-config.ts'
import { pythonString } from '../value/python-string.ts'
import { redact } from '../value/secret.ts'
import type { MapValue } from '../value/value.ts'
import { dumpYaml } from '../yaml/dump.ts'
import type { AppCall, ExitStatus } from './app-call.ts'
import { findRaw, resolvedRoot } from './find-raw.ts'

/** `--cfg job|hydra|all`, with `--package` and `--resolve`. */
export async function showConfig(call: AppCall, kind: 'job' | 'hydra' | 'all'): Promise<ExitStatus> {
  const { platform, arguments: given } = call
  const run = await call.compose('RUN', given.overrides)
  const root = shownPart(run, kind)
  const path = given.package === '_global_' ? undefined : given.package
  if (path === undefined) {
    const shown = given.resolve ? await resolvedRoot(root, run.resolve) : root
    platform.out(dumpYaml(redact(shown)))
    return 0
  }
  const found = findRaw(root, path, run.resolve)
  if (found === undefined) {
    platform.err(`package '${path}' not found in config\n`)
    return 1
  }
  const { value } = found
  if (value.kind === 'scalar') {
    platform.out(`${pythonString(redact(value))}\n`)
    return 0
  }
  platform.out(`# @package ${path}\n`)
  platform.out(dumpYaml(redact(given.resolve ? found.resolved() : value)))
  return 0
}

/** The part of a configuration that `--cfg` names. */
export function shownPart({ root }: Pick<RunConfig, 'root'>, kind: 'job' | 'hydra' | 'all'): MapValue {
  if (kind === 'all') return root
  if (kind === 'job') return withoutChild(root, 'hydra')
  const hydra = root.entries.get('hydra')
  const shown = hydra?.kind === 'map' ? withoutChild(withoutChild(hydra, 'hydra_help'), 'help') : hydra
  return { ...root, entries: new Map(shown === undefined ? [] : [['hydra', shown] as const]) }
}
