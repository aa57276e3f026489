import { basename, dirname, extname } from 'node:path'
import type { AppDefinition } from '../cli/app-call.ts'
import type { Platform } from '../job/platform.ts'
import { redact } from '../value/secret.ts'
import { dumpYaml } from '../yaml/dump.ts'

/** Where configs are looked for, besides the current directory itself. */
const folders = ['conf', 'config', 'configs']

/**
 * An app for a folder of configs without code: it prints its configuration. The folder is `conf`, `config`, `configs` or
 * the current directory, and the primary config `config`, unless flags say otherwise; a Python file as the first
 * argument tells both by its `@hydra.main(…)`.
 * @returns the app, and the arguments without that file
 */
export function folderApp(
  argv: readonly string[],
  platform: Platform,
): { readonly app: AppDefinition; readonly rest: readonly string[] } {
  const file = argv.find((each) => each.endsWith('.py') && !/[=\s]/.test(each) && !each.startsWith('-'))
  const script = file === undefined ? undefined : platform.files.read(platform.resolve(file))
  const app = (home: string, config: string | undefined, folder: string | undefined): AppDefinition => ({
    name: file === undefined ? 'app' : basename(file, extname(file)),
    program: 'hydra-config',
    command: 'hydra-config',
    config,
    source: folder === undefined ? undefined : platform.open(folder),
    home,
    task: ({ config: run }) => platform.out(`${dumpYaml(redact(run.task.tree.raw))}\n`),
    launchers: [],
    callbacks: {},
    resolve: {},
  })
  if (file !== undefined && script !== undefined) {
    const home = platform.resolve(dirname(file))
    const { path, name } = hydraMain(script)
    const folder =
      path === undefined || path.includes('://') || path.startsWith('/') ? path : `${home}/${path}`
    return { app: app(home, name, folder), rest: argv.filter((each) => each !== file) }
  }
  const home = platform.cwd()
  const found = folders.map((folder) => `${home}/${folder}`).find((folder) => platform.files.isFolder(folder))
  return { app: app(home, 'config', found ?? home), rest: argv }
}

/** What `@hydra.main(config_path=…, config_name=…)` of a Python file says, where it says it by literals. */
function hydraMain(script: string): { readonly path: string | undefined; readonly name: string | undefined } {
  const call = /@(?:hydra\.)?main\(([^)]*)\)/.exec(script)?.[1] ?? ''
  const literal = (key: string): string | undefined =>
    new RegExp(`\\b${key}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`)
      .exec(call)
      ?.slice(1)
      .find((each) => each !== undefined)
  return { path: literal('config_path'), name: literal('config_name') }
}
