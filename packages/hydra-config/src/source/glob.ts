import { HydraConfigError } from '../errors.ts'
import { shown } from '../shown.ts'
import type { ConfigSource } from './source.ts'

/**
 * A source of what a bundler's `import.meta.glob` gives, eager or not, with `query: '?raw'`:
 *
 *     fromGlob(import.meta.glob('./conf/**\/*.yaml', { query: '?raw', import: 'default', eager: true }), './conf')
 *
 * @param modules texts by path, modules whose default they are, or functions that load either
 * @param root what the paths begin with; what lies elsewhere is left out
 * @throws {HydraConfigError} of `files()`: `INVALID_OPTION` where there is anything but texts, `SOURCE_READ` where one
 *   cannot be loaded
 */
export function fromGlob(modules: Readonly<Record<string, unknown>>, root: string): ConfigSource {
  const prefix = root.endsWith('/') ? root : `${root}/`
  return {
    path: 'memory://',
    files: async () => {
      const own = Object.entries(modules).filter(([path]) => path.startsWith(prefix))
      const texts = own.map(
        async ([path, module]) => [path.slice(prefix.length), await textOf(path, module)] as const,
      )
      return new Map(await Promise.all(texts))
    },
  }
}

async function textOf(path: string, module: unknown): Promise<string> {
  const loaded = typeof module === 'function' ? await load(path, () => module()) : module
  const text = typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : loaded
  if (typeof text === 'string') return text
  throw new HydraConfigError(
    'INVALID_OPTION',
    `modules[${shown(path)}] must be a text, not ${shown(text)}: give import.meta.glob the query '?raw'`,
  )
}

async function load(path: string, module: () => unknown): Promise<unknown> {
  try {
    return await module()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HydraConfigError('SOURCE_READ', `${path} cannot be loaded: ${reason}`, { cause })
  }
}
