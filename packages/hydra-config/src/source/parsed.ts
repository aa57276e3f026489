import { type ConfigFile, list, type MapKey, type Scalar, scalar, type Value } from '../value/value.ts'
import type { ConfigSource } from './source.ts'
import { type ValueConfig, ValueFiles } from './value-files.ts'

/**
 * A value with the line and column where it was written, from 1 (0 where it was not): of a list with its items, of a map
 * with nothing and its keys and values.
 */
export type WrittenValue =
  | readonly [line: number, column: number, value: Scalar | readonly WrittenValue[]]
  | readonly [line: number, column: number, none: null, entries: readonly (readonly [MapKey, WrittenValue])[]]

/** A config as the plugin for Vite writes it: what `# @package` says, if anything, behind its value. */
export type WrittenConfig = readonly [value: WrittenValue, header?: string]

/**
 * A source of configs that were read when a bundle was built, as the plugin for Vite writes them: null is a folder without
 * configs. Its path is `memory://`.
 */
export function fromParsed(configs: Readonly<Record<string, WrittenConfig | null>>): ConfigSource {
  const source = 'memory://'
  const parsed = new Map<string, ValueConfig>()
  const folders: [string, string][] = []
  for (const [path, written] of Object.entries(configs)) {
    if (written === null) {
      folders.push([path, ''])
      continue
    }
    const [value, header] = written
    parsed.set(path, { value: valueOf(value, { source, config: path.replace(/\.yaml$/, '') }), header })
  }
  const files = new ValueFiles(folders, parsed)
  return { path: source, files: () => files }
}

function valueOf([line, column, value, entries]: WrittenValue, file: ConfigFile): Value {
  const origin = line === 0 ? undefined : ({ kind: 'file', ...file, line, column } as const)
  if (entries !== undefined) {
    const read = entries.map(([key, item]) => [key, valueOf(item, file)] as const)
    return { kind: 'map', entries: new Map(read), origin }
  }
  return isList(value)
    ? list(
        value.map((item) => valueOf(item, file)),
        origin,
      )
    : scalar(value, origin)
}

function isList(value: Scalar | readonly WrittenValue[]): value is readonly WrittenValue[] {
  return Array.isArray(value)
}
