import type { ConfigSource } from './source.ts'

/** A source of texts in memory, for tests and for where there is no file system. Its path is `memory://`. */
export function fromMemory(files: Readonly<Record<string, string>>): ConfigSource {
  const texts = new Map(Object.entries(files))
  return { path: 'memory://', files: () => texts }
}
