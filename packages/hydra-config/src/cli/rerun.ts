import { Repository } from '../defaults/repository.ts'
import { HydraConfigError } from '../errors.ts'
import { RunConfig } from '../job/run-config.ts'
import { contextOf } from '../job/run-job.ts'
import { map, type Value } from '../value/value.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import type { AppCall, ExitStatus } from './app-call.ts'

/**
 * `--experimental-rerun`: does the task of an earlier job with the configuration that it had, as `.hydra/` tells it. Hydra
 * reads a pickle here; we read the YAML beside it, so a path of `.hydra` or of any file in it will do.
 */
export async function rerun(call: AppCall, path: string): Promise<ExitStatus> {
  const { platform, log, app } = call
  platform.err('UserWarning: Experimental rerun CLI option, other command line args are ignored.\n')
  if (call.arguments.overrides.length > 0) {
    platform.err('UserWarning: Config overrides are not supported as of now.\n')
  }
  const given = platform.resolve(path)
  if (!platform.files.isFolder(given) && platform.files.read(given) === undefined) refuseMissing(path)
  const folder = platform.files.isFolder(given) ? given : given.slice(0, given.lastIndexOf('/'))
  const task = readMap(call, `${folder}/config.yaml`)
  const hydra = readMap(call, `${folder}/hydra.yaml`)
  const root = map([...task, ...hydra])
  const repository = new Repository([], call.semantics)
  const job = {
    root,
    layers: [],
    list: [],
    trees: [],
    choices: new Map<string, null>(),
    entries: [],
    repository,
  }
  const config = await new RunConfig(job, platform, app.resolve).settle()
  log.configure(config.resolved('hydra.job_logging'), config.resolved('hydra.verbose'))
  await app.task(
    contextOf(config, log, config.text('hydra.runtime.output_dir'), config.text('hydra.job.name')),
  )
  return 0
}

function readMap({ platform }: AppCall, path: string): Iterable<readonly [string, Value]> {
  const text = platform.files.read(path)
  if (text === undefined) return refuseMissing(path)
  const value = parseYaml(text)
  if (value.kind !== 'map') {
    throw new HydraConfigError('YAML_INVALID', `${path} holds a list, where a job has a mapping`, {
      class: 'ValueError',
    })
  }
  return value.entries.entries().map(([key, item]) => [String(key), item] as const)
}

function refuseMissing(path: string): never {
  throw new HydraConfigError('SOURCE_NOT_FOUND', `File ${path} does not exist!`, { class: 'ValueError' })
}
