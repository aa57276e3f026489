import { fromPlain } from '../value/from-plain.ts'
import type { ConfigSource } from './source.ts'
import { type ValueConfig, ValueFiles } from './value-files.ts'

/**
 * A source in memory, for tests and for where there is no file system. Its path is `memory://`. A config is a text, or a
 * plain value as `JSON.parse` gives it: numbers without a fraction are integers.
 * @throws {HydraConfigError} `INVALID_OPTION` for a value that a configuration cannot hold
 */
export function fromMemory(files: Readonly<Record<string, unknown>>): ConfigSource {
  const texts = new Map<string, string>()
  const values = new Map<string, ValueConfig>()
  for (const [path, given] of Object.entries(files)) {
    if (typeof given === 'string') texts.set(path, given)
    else values.set(path, { value: fromPlain(given, { kind: 'code' }), header: undefined })
  }
  const all = values.size === 0 ? texts : new ValueFiles(texts, values)
  return { path: 'memory://', files: () => all }
}
