import { type Composition, compositionOf } from '../compose/composition.ts'
import { explainText } from '../explain/explain-text.ts'
import type { Platform } from '../job/platform.ts'
import type { RunConfig } from '../job/run-config.ts'
import { AppCall, type AppDefinition, type ExitStatus } from './app-call.ts'
import { parseArguments } from './arguments.ts'
import { differenceText } from './difference-text.ts'
import { editorSchema } from './editor-schema.ts'
import { reportFailure } from './report.ts'
import { usageText } from './usage.ts'
import { faultsOf } from './validate.ts'

interface Tool {
  /** What follows its name, before flags and overrides. */
  readonly usage: string
  readonly purpose: string
  run(context: ToolContext): Promise<ExitStatus>
}

interface ToolContext {
  readonly words: readonly string[]
  call(argv: readonly string[]): AppCall
  out(text: string): void
}

/** What this package's command line has beside Hydra's. */
const tools: ReadonlyMap<string, Tool> = new Map(
  Object.entries<Tool>({
    explain: {
      usage: '<path> [flags and overrides]',
      purpose: 'where a value comes from, what it replaced, what its interpolation read',
      async run({ words: [path, ...argv], call, out }) {
        if (path === undefined || path.startsWith('-'))
          throw new UsageFault('explain takes the path of a value')
        out(explainText((await whole(call(argv))).explain(path)))
        return 0
      },
    },
    diff: {
      usage: '[flags] -- [overrides] -- [overrides]',
      purpose: 'what is different between two command lines; exits with 1 where something is',
      async run({ words, call, out }) {
        const first = words.indexOf('--')
        const second = words.indexOf('--', first + 1)
        if (first === -1 || second === -1)
          throw new UsageFault('diff takes two lists of overrides, each behind --')
        const flags = words.slice(0, first)
        const before = await compose(call([...flags, ...words.slice(first + 1, second)]))
        const after = await compose(call([...flags, ...words.slice(second + 1)]))
        const changes = before.task.diff(after.task)
        out(changes.map(differenceText).join(''))
        return changes.length === 0 ? 0 : 1
      },
    },
    digest: {
      usage: '[flags and overrides]',
      purpose: 'the SHA-256 of all values: the same for the same configuration',
      async run({ words, call, out }) {
        out(`${(await compose(call(words))).task.digest()}\n`)
        return 0
      },
    },
    validate: {
      usage: '[flags and overrides]',
      purpose: 'composes every option of every config group; exits with 1 where one fails',
      async run({ words, call, out }) {
        const { count, faults } = await faultsOf(call(words))
        for (const { override, message } of faults)
          out(`${override}\n  ${message.trim().replaceAll('\n', '\n  ')}\n`)
        out(`${count} compositions, ${faults.length} failed\n`)
        return faults.length === 0 ? 0 : 1
      },
    },
    schema: {
      usage: '[flags and overrides]',
      purpose:
        'a JSON Schema of the primary config for editors: groups with their options, keys with their types',
      async run({ words, call, out }) {
        out(`${JSON.stringify(editorSchema(await compose(call(words))), undefined, 2)}\n`)
        return 0
      },
    },
  }),
)

class UsageFault extends Error {}

/** Runs one of our own commands; undefined where the first word names none. */
export async function runTool(
  app: AppDefinition,
  [name, ...words]: readonly string[],
  platform: Platform,
): Promise<ExitStatus | undefined> {
  const tool = tools.get(name ?? '')
  if (tool === undefined) return undefined
  const call = (argv: readonly string[]): AppCall => {
    const parsed = parseArguments(argv)
    if (parsed.kind === 'arguments') return new AppCall(app, parsed.arguments, platform)
    throw new UsageFault(parsed.kind === 'usage' ? parsed.message : `--version goes without ${name}`)
  }
  try {
    if (words.includes('--help') || words.includes('-h')) {
      platform.out(toolsHelp())
      return 0
    }
    return await tool.run({ words, call, out: (text) => platform.out(text) })
  } catch (error) {
    if (!(error instanceof UsageFault)) {
      reportFailure(error, platform)
      return 1
    }
    platform.err(
      `${usageText(app.program, platform.columns)}${toolsHelp()}${app.program}: error: ${error.message}\n`,
    )
    return 2
  }
}

/** `explain` of an app, which has flags and no commands. */
export async function runExplain(
  app: AppDefinition,
  words: readonly string[],
  platform: Platform,
): Promise<ExitStatus> {
  return (await runTool(app, ['explain', ...words], platform)) ?? 2
}

function toolsHelp(): string {
  return [...tools]
    .map(([name, { usage, purpose }]) => `       hydra-config ${name} ${usage}\n         ${purpose}\n`)
    .join('')
}

function compose(call: AppCall): Promise<RunConfig> {
  return call.compose('RUN', call.arguments.overrides)
}

/** Hydra's own node with it, so that its values can be explained too. */
async function whole(call: AppCall): Promise<Composition> {
  const run = await compose(call)
  return compositionOf({ ...run.composed, root: run.root })
}
