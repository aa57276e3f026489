import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import type { Platform } from '../job/platform.ts'
import { fromDotlist } from '../structured/dotlist.ts'
import { pythonString } from '../value/python-string.ts'
import type { AppCall, ExitStatus } from './app-call.ts'
import { parseArguments } from './arguments.ts'
import { installScript, isShell, type Shell, uninstallScript } from './completion-scripts.ts'
import { configMatches } from './config-matches.ts'
import { usageText } from './usage.ts'

const subcommands = ['install', 'uninstall', 'query'] as const

/** `--shell-completion install=<shell>`, `uninstall=<shell>` or `query=<shell>`. */
export async function completeShell(call: AppCall): Promise<ExitStatus> {
  const { platform, app } = call
  const dotlist = fromDotlist(call.arguments.overrides)
  const given = new Map(dotlist.kind === 'map' ? dotlist.entries : [])
  const [subcommand, ...others] = subcommands.filter((each) => given.has(each))
  if (subcommand === undefined || others.length > 0) {
    fail(`Expecting one subcommand from ['install', 'uninstall', 'query'] to be set`)
  }
  const named = given.get(subcommand)
  const shell = named === undefined ? '' : pythonString(named)
  if (!isShell(shell)) {
    return fail(`No completion plugin for '${shell}' found, available : \n\tbash\n\tfish\n\tzsh`)
  }
  if (subcommand === 'query') return query(call, shell)
  const script =
    subcommand === 'install' ? installScript(shell, app.command) : uninstallScript(shell, app.command)
  platform.out(script)
  return 0
}

async function query(call: AppCall, shell: Shell): Promise<ExitStatus> {
  const { platform, app } = call
  const line = platform.environment('COMP_LINE')
  if (line === undefined) {
    throw new HydraConfigError(
      'INVALID_OPTION',
      "a query is of the environment variable 'COMP_LINE', which is not set",
      {
        class: 'KeyError',
      },
    )
  }
  const rest = withoutCommand(line)
  const parsed = parseArguments(rest.split(/\s+/).filter((word) => word !== ''))
  if (parsed.kind === 'usage') {
    platform.err(`${usageText(app.program, platform.columns)}${app.program}: error: ${parsed.message}\n`)
    return 2
  }
  if (parsed.kind === 'version') return 0
  const isNewWord = rest === '' || rest.endsWith(' ')
  const { overrides, multirun } = parsed.arguments
  const word = isNewWord ? '' : (overrides.at(-1) ?? '')
  const words = isNewWord ? overrides : overrides.slice(0, -1)
  const found = await completions(call, word, words, multirun)
  platform.out(`${found.join(shell === 'fish' ? '\n' : ' ')}\n`)
  return 0
}

/** What `word` may become, after the overrides `words`; sorted. */
async function completions(
  call: AppCall,
  word: string,
  words: readonly string[],
  multirun: boolean,
): Promise<readonly string[]> {
  const path = pathAfterEquals(word)
  if (path !== undefined) {
    const key = word.slice(0, word.length - path.length)
    return pathsFrom(path, call.platform)
      .map((each) => key + each)
      .toSorted(byCodePoint)
  }
  const repository = await call.openRepository(call.config, words)
  const groups = groupMatches(repository, word)
  const matches = groups.isOption ? [] : await matchesInConfig(call, word, words, multirun)
  return [...new Set([...groups.matches, ...matches])].toSorted(byCodePoint)
}

async function matchesInConfig(
  call: AppCall,
  word: string,
  words: readonly string[],
  multirun: boolean,
): Promise<readonly string[]> {
  try {
    const run = await call.compose(multirun ? 'MULTIRUN' : 'RUN', words)
    return configMatches(run.root, word, run.resolve)
  } catch (error) {
    // Not composable yet: an option is still missing, say.
    const isOpen =
      isHydraConfigError(error) && /^(?:ConfigComposition|MissingConfig)Exception$/.test(error.class ?? '')
    if (isOpen) return []
    throw error
  }
}

interface GroupMatches {
  readonly matches: readonly string[]
  /** Whether the word is of a group's option, so that no value is meant. */
  readonly isOption: boolean
}

interface Groups {
  options(group: string): readonly string[]
  groupsIn(parent: string): readonly string[]
}

function groupMatches(repository: Groups, whole: string): GroupMatches {
  const prefix = /^[+~]/.exec(whole)?.[0] ?? ''
  const word = whole.slice(prefix.length)
  const equals = word.lastIndexOf('=')
  if (equals !== -1) {
    const group = word.slice(0, equals)
    const options = repository.options(group)
    const names = options.map((option) => (group === '' ? option : `${group}=${option}`))
    const matches = names.filter((name) => name.startsWith(word)).map((name) => prefix + name)
    return { matches, isOption: options.length > 0 }
  }
  const parent = word.slice(0, Math.max(0, word.lastIndexOf('/')))
  const matches = repository
    .groupsIn(parent)
    .map((name) => (parent === '' ? name : `${parent}/${name}`))
    .filter((name) => name.startsWith(word))
    .map((name) => prefix + name + groupEnd(repository, name, prefix === '~'))
  return { matches, isOption: false }
}

/** `=` where only options follow, `/` where only groups do. */
function groupEnd(repository: Groups, group: string, isDeletion: boolean): string {
  const hasOptions = repository.options(group).length > 0
  const hasGroups = repository.groupsIn(group).length > 0
  if (!hasGroups && hasOptions && !isDeletion) return '='
  return hasGroups && !hasOptions ? '/' : ''
}

/** The part of `key=./path` that is a path; undefined where the word has none. */
function pathAfterEquals(word: string): string | undefined {
  const equals = word.lastIndexOf('=')
  const path = word.slice(equals + 1)
  return equals !== -1 && /^[./\\]/.test(path) ? path : undefined
}

function pathsFrom(path: string, { files, resolve }: Platform): string[] {
  if (files.isFolder(resolve(path))) {
    return files.list(resolve(path)).map((name) => (path.endsWith('/') ? path + name : `${path}/${name}`))
  }
  const slash = path.lastIndexOf('/')
  const folder = path.slice(0, slash + 1)
  if (slash === -1) return []
  const started = path.slice(slash + 1)
  return files
    .list(resolve(folder))
    .filter((name) => name.startsWith(started))
    .map((name) => folder + name)
}

/** The line behind the command: `my_app db=`, `./my_app.ts db=`, `node --flag my_app.ts db=`, `python my_app.py db=`. */
function withoutCommand(line: string): string {
  const python = /^\s*[\w/]*python3?\s*[\w/.]*\s*(.*)/.exec(line)
  const node = /^\s*(?:[\w.~-]*\/)*(?:node|bun|deno|tsx)(?:\s+(?:run\b|-\S+))*\s+[^\s=]+(?:\s+(.*)|$)/.exec(
    line,
  )
  const command = /^\s*[\w\-=./~@]+(?:\s+[\w./~-]+\.py(?=\s))?\s*(.*)/.exec(line)
  const match = node ?? python ?? command
  if (match === null) return fail(`Error parsing line '${line}'`)
  return match[1] ?? ''
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function fail(message: string): never {
  throw new HydraConfigError('INVALID_OPTION', message, { class: 'ValueError' })
}
