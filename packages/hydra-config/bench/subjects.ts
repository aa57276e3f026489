import { join } from 'node:path'
import type { Prepared } from '@loadbearing/harness/bench'
import {
  compose,
  createHydra,
  dumpYaml,
  fromMemory,
  merge,
  parseOverride,
  parseYaml,
  planSweep,
  resolveAll,
  sweep,
  type Value,
} from '@loadbearing/hydra-config'
import { fromDir } from '@loadbearing/hydra-config/node'
import type { ComposeCase, layers } from './tree.ts'

/** Composes from the files each time, as a program does that starts. */
export function composeCold(folder: string): Prepared<ComposeCase> {
  return {
    call: (input) => compose({ source: fromDir(folder), ...input }),
    answer: (composition) => Object(composition).toYAML(),
  }
}

/** Composes again what was composed before, the files looked at anew. */
export function composeWarm(folder: string): Prepared<unknown> {
  const hydra = createHydra({ sources: [fromDir(join(folder, 'conf'))] })
  return {
    call: async () => (await hydra.compose({ config: 'app', overrides: ['env=production'] })).value,
    answer: plain,
  }
}

/** As {@link composeWarm}, each time with an override that was not there before. */
export function composeVaried(folder: string): Prepared<unknown> {
  const hydra = createHydra({ sources: [fromDir(join(folder, 'conf'))] })
  let port = 0
  return {
    call: async () =>
      (await hydra.compose({ config: 'app', overrides: ['env=production', `group_7.port=${port++}`] })).value,
    answer: plain,
  }
}

/** As {@link composeWarm}, from texts in memory: JSON is YAML. */
export function composeMemory({ base, over }: ReturnType<typeof layers>): Prepared<unknown> {
  const source = fromMemory({
    'app.yaml': JSON.stringify({ defaults: ['_self_', { env: 'development' }], ...base }),
    'env/development.yaml': '{}',
    'env/production.yaml': `# @package _global_\n${JSON.stringify(over)}`,
  })
  const hydra = createHydra({ sources: [source] })
  return {
    call: async () => (await hydra.compose({ config: 'app', overrides: ['env=production'] })).value,
    answer: plain,
  }
}

/** Two texts read and merged, where each value knows its line and column. */
export function readAndMerge([base, over]: readonly [string, string]): Prepared<unknown> {
  return {
    call: () =>
      merge(
        parseYaml(base, { source: 'memory://', config: 'base' }),
        parseYaml(over, { source: 'memory://', config: 'over' }),
      ),
    answer: plain,
  }
}

/** As {@link readAndMerge}, and written as YAML again. */
export function readMergeWrite([base, over]: readonly [string, string]): Prepared<unknown> {
  return { call: () => dumpYaml(merge(parseYaml(base), parseYaml(over))) }
}

export function parseOverrides(overrides: readonly string[]): Prepared<unknown> {
  return { call: () => overrides.map((text) => parseOverride(text)).length }
}

/** The jobs alone, as Hydra's sweeper splits them. */
export function planJobs({
  folder,
  overrides,
}: {
  folder: string
  overrides: readonly string[]
}): Prepared<unknown> {
  return {
    call: async () => [...(await planSweep({ source: fromDir(folder), config: 'app', overrides }))],
    answer: ends,
  }
}

/** The jobs, each of them composed. */
export function sweepJobs({
  folder,
  overrides,
}: {
  folder: string
  overrides: readonly string[]
}): Prepared<unknown> {
  return { call: () => sweep({ source: fromDir(folder), config: 'app', overrides }), answer: ends }
}

function ends(jobs: unknown): unknown {
  return Array.isArray(jobs) ? [jobs.length, jobs[0], jobs.at(-1)] : undefined
}

/** All interpolations of a text. */
export function resolveInterpolations(text: string): Prepared<unknown> {
  const root = parseYaml(text)
  return {
    call: () => resolveAll(root),
    answer: (resolved) => Object.values(Object(plain(resolved))).at(-1),
  }
}

/** One value of a composed configuration. */
export async function get(text: string): Promise<Prepared<string>> {
  const { value } = await compose({ source: fromMemory({ 'config.yaml': text }), config: 'config' })
  const groups = Object(value)
  return { call: (group) => groups[group].port }
}

/** A value of this package, or a plain one, as JSON. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(isValue(value) ? plainOf(value) : value))
}

function plainOf(value: Value): unknown {
  if (value.kind === 'list') return value.items.map(plainOf)
  if (value.kind === 'map') {
    return Object.fromEntries([...value.entries].map(([key, item]) => [String(key), plainOf(item)]))
  }
  return typeof value.value === 'bigint' ? Number(value.value) : value.value
}

function isValue(value: unknown): value is Value {
  const kind: unknown = Reflect.get(Object(value), 'kind')
  return kind === 'map' || kind === 'list' || kind === 'scalar'
}
