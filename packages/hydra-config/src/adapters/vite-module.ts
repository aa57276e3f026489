import { readConfig } from '../defaults/package-header.ts'
import type { Scalar, Value } from '../value/value.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'

/** The code of a module whose default is a source of configs, each as {@link configText} has it. */
export function moduleText(configs: ReadonlyMap<string, string>): string {
  const entries = [...configs].map(([path, code]) => `  [${JSON.stringify(path)}]: ${code},\n`)
  return `import { fromParsed } from '@loadbearing/hydra-config/edge'\nexport default fromParsed({\n${entries.join('')}})\n`
}

/**
 * What `fromParsed` takes for a config, read now: who imports it reads no YAML. Of a folder without configs it is null.
 * @throws {HydraConfigError} for a text that is no configuration
 */
export function configText(path: string, text: string): string {
  if (path.endsWith('/')) return 'null'
  const { header, value: whole } = readConfig(text, { source: '', config: path }, parseYaml)
  const value = valueText(whole)
  return header === undefined ? `[${value}]` : `[${value}, ${JSON.stringify(header)}]`
}

function valueText(value: Value): string {
  const { origin } = value
  const place = origin?.kind === 'file' ? `${origin.line},${origin.column}` : '0,0'
  if (value.kind === 'scalar') return `[${place},${scalarText(value.value)}]`
  if (value.kind === 'list') return `[${place},[${value.items.map(valueText).join(',')}]]`
  const entries = Array.from(value.entries, ([key, item]) => `[${scalarText(key)},${valueText(item)}]`)
  return `[${place},null,[${entries.join(',')}]]`
}

/** Code keeps apart what JSON does not: `1n` and `1`, `-0`, `NaN`. */
function scalarText(value: Scalar): string {
  if (value instanceof Uint8Array) return `Uint8Array.of(${value.join(',')})`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  return JSON.stringify(value)
}

/** The declarations of that module, with the configs and options that there are. */
export function typesText(module: string, files: ReadonlyMap<string, string>): string {
  const groups = new Map<string, string[]>()
  for (const path of [...files.keys()].toSorted()) {
    const end = path.lastIndexOf('/')
    const options = groups.get(path.slice(0, Math.max(end, 0))) ?? []
    if (path.endsWith('.yaml')) options.push(path.slice(end + 1, -'.yaml'.length))
    groups.set(path.slice(0, Math.max(end, 0)), options)
  }
  const primary = groups.get('') ?? []
  groups.delete('')
  const lines = [...groups].map(
    ([group, options]) => `    readonly ${JSON.stringify(group)}: ${unionOf(options)}\n`,
  )
  return `// Written by the Vite plugin of @loadbearing/hydra-config.
declare module ${JSON.stringify(module)} {
  import type { ConfigSource } from '@loadbearing/hydra-config'

  const source: ConfigSource
  export default source

  /** The configs outside of groups. */
  export type Config = ${unionOf(primary)}

  /** The options of each config group. */
  export interface Groups {
${lines.join('')}  }
}
`
}

function unionOf(names: readonly string[]): string {
  return names.length === 0 ? 'never' : names.map((name) => JSON.stringify(name)).join(' | ')
}
