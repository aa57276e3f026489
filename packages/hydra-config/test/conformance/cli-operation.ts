import { type Command, type Field, field } from '@loadbearing/harness/conformance'
import { type AppDefinition, runCommandLine } from '@loadbearing/hydra-config/app'
import { type MemoryPlatform, memoryPlatform } from './memory-platform.ts'

/** Where the app of the operation `cli` is, and its configs, and what it takes for the current directory. */
export const appRoot = '/app'

/** The app of the operation `cli`: prints its configuration as Hydra's first example does. */
export async function runMyApp(
  files: Readonly<Record<string, string>>,
  argv: readonly string[],
  environment?: MemoryPlatform['environment'],
): Promise<{ readonly platform: MemoryPlatform; readonly exit: number }> {
  const platform = memoryPlatform(appRoot, files, environment)
  const app: AppDefinition = {
    name: 'my_app',
    program: 'my_app.py',
    command: 'python my_app.py',
    config: 'config',
    source: platform.open(`file://${appRoot}`),
    home: appRoot,
    task: ({ config }) => platform.out(`${config.task.toYAML()}\n`),
    launchers: [],
    callbacks: {},
    resolve: {},
  }
  return { exit: await runCommandLine(app, argv, platform), platform }
}

export async function cli(command: Command): Promise<object> {
  const text = (each: Field): string => each.string()
  const { platform, exit } = await runMyApp(
    field(command, 'files').record(text),
    field(command, 'argv').list(text),
    (name) => process.env[name],
  )
  return { stdout: platform.stdout, exit }
}
