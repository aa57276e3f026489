import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve, sep } from 'node:path'
import type { Plugin } from 'vite'
import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { shown } from '../shown.ts'
import { fromDir } from './dir.ts'
import { configText, moduleText, typesText } from './vite-module.ts'

/** Options of {@link hydraConfig}. */
export interface HydraConfigPluginOptions {
  /** The directory of the configs, from Vite's root. Default `conf`. */
  readonly dir?: string
  /** The module that has them. Default `virtual:hydra-config`. */
  readonly module?: string
  /** Where to write the types of the module, from Vite's root, such as `src/hydra-config.d.ts`. Default: nowhere. */
  readonly dts?: string
}

/**
 * A plugin of Vite, and of Rollup without its hot updates, that puts a directory of configs into the bundle:
 * `import conf from 'virtual:hydra-config'` is a source of them. They are read when the bundle is built, all of YAML 1.1,
 * and stand in it as values with their lines and columns; a config that is no YAML fails the build. While developing, a
 * change of a config updates whoever imports the module.
 *
 * Everything in the directory can be read by whoever gets the bundle.
 *
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function hydraConfig(options: HydraConfigPluginOptions = {}): Plugin {
  const { dir = 'conf', module = 'virtual:hydra-config', dts } = options
  for (const [name, value] of Object.entries({ dir, module, dts: dts ?? 'x' })) {
    if (typeof value !== 'string' || value === '') {
      throw new HydraConfigError('INVALID_OPTION', `${name} must be a string, not ${shown(value)}`)
    }
  }
  const id = `\0${module}`
  let root = process.cwd()
  const home = (): string => resolve(root, dir)
  return {
    name: 'loadbearing:hydra-config',
    configResolved(config) {
      root = config.root
    },
    configureServer(server) {
      server.watcher.add(home())
    },
    resolveId: { handler: (wanted) => (wanted === module ? id : undefined) },
    async load(wanted) {
      if (wanted !== id) return undefined
      const configs = await readConfigs(home(), (message) => this.error(message))
      for (const path of configs.keys()) if (!path.endsWith('/')) this.addWatchFile(resolve(home(), path))
      if (dts !== undefined) await writeChanged(resolve(root, dts), typesText(module, configs))
      return { code: moduleText(configs), moduleSideEffects: false }
    },
    hotUpdate({ file, modules }) {
      const inside = relative(home(), file)
      const own = this.environment.moduleGraph.getModuleById(id)
      if (own === undefined || inside.startsWith(`..${sep}`) || !inside.endsWith('.yaml')) return undefined
      return [...new Set([...modules, own])]
    },
  }
}

/** The code of each config. */
async function readConfigs(
  home: string,
  fail: (message: string) => never,
): Promise<ReadonlyMap<string, string>> {
  const read = new Map<string, string>()
  let at = home
  try {
    const files = await fromDir(home).files()
    for (const path of files.keys()) {
      at = resolve(home, path)
      read.set(path, configText(path, files.get(path) ?? ''))
    }
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    fail(`${at}: ${error.message}`)
  }
  return read
}

/** Writes only what is new: who watches the file would begin anew each time. */
async function writeChanged(path: string, text: string): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before === text) return
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
