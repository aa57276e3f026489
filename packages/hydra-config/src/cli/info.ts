import { configPath, type DefaultItem, isSelf, nameOf, overrideKey } from '../defaults/default-item.ts'
import type { DefaultsNode } from '../defaults/defaults-tree.ts'
import type { ExpandedDefaults } from '../defaults/expand.ts'
import { hydraVersion } from '../job/hydra-node.ts'
import type { RunMode } from '../job/job-config.ts'
import { redact } from '../value/secret.ts'
import { dumpYaml } from '../yaml/dump.ts'
import type { AppCall } from './app-call.ts'
import { shownPart } from './show-config.ts'

/** `--info`, written line by line as it is found out. */
export class Info {
  readonly #call: AppCall
  readonly #write: (text: string) => void
  readonly #mode: RunMode

  /** @param mode what is asked for: a sweep is none that cannot be shown */
  constructor(call: AppCall, write: (text: string) => void, mode: RunMode = 'RUN') {
    this.#call = call
    this.#write = write
    this.#mode = mode
  }

  async show(topic: string): Promise<void> {
    if (topic === 'all') return this.all()
    if (topic === 'plugins') {
      this.#plugins()
      this.#profile()
      return
    }
    if (topic === 'searchpath') return this.#searchPath()
    if (topic === 'config') return this.#config()
    const expanded = await this.#expand()
    if (topic === 'defaults') this.#defaultsList(expanded)
    else this.#defaultsTree(expanded)
  }

  async all(): Promise<void> {
    this.#header(`Hydra ${hydraVersion}`, '=')
    this.#plugins()
    await this.#config()
  }

  #expand(): Promise<ExpandedDefaults> {
    return this.#call.expand(this.#call.arguments.overrides)
  }

  async #config(): Promise<void> {
    await this.#searchPath()
    const expanded = await this.#expand()
    this.#defaultsTree(expanded)
    this.#defaultsList(expanded)
    const run = await this.#call.compose(this.#mode, this.#call.arguments.overrides)
    this.#header('Config', '*')
    this.#write(dumpYaml(redact(shownPart(run, 'job'))))
  }

  #plugins(): void {
    const launchers = this.#call.app.launchers.map(({ target }) => target.slice(target.lastIndexOf('.') + 1))
    const kinds: readonly (readonly [string, readonly string[]])[] = [
      ['ConfigSource', ['FileConfigSource', 'ImportlibResourcesConfigSource', 'StructuredConfigSource']],
      ['CompletionPlugin', ['BashCompletion', 'FishCompletion', 'ZshCompletion']],
      ['Launcher', ['BasicLauncher', ...launchers]],
      ['Sweeper', ['BasicSweeper']],
    ]
    this.#header('Installed Hydra Plugins', '*')
    for (const [kind, plugins] of kinds) {
      this.#header(`${kind}:`, '-', '\t')
      for (const plugin of plugins) this.#write(`\t\t${plugin}`)
    }
  }

  /** Here plugins are given, and none has to be looked for. */
  #profile(): void {
    this.#write('')
    this.#header('Profiling information', '*')
    this.#header('Total plugins scan time : 0.000 seconds', '-')
    this.#table(['Module', 'Sec'], [], '')
  }

  async #searchPath(): Promise<void> {
    this.#write('')
    this.#header('Config search path', '*')
    const run = await this.#call.compose(this.#mode, this.#call.arguments.overrides)
    const { sources } = run.job.repository
    this.#table(
      ['Provider', 'Search path'],
      sources.map(({ provider, path }) => [provider, path]),
      '',
    )
  }

  #defaultsTree({ trees }: ExpandedDefaults): void {
    this.#write('')
    this.#header('Defaults Tree', '*')
    this.#write('<root>:')
    for (const tree of trees) this.#node(tree, 1)
  }

  #node({ item, parent, children = [] }: DefaultsNode, depth: number): void {
    this.#write(`${'  '.repeat(depth)}${labelOf(item, parent)}${children.length > 0 ? ':' : ''}`)
    for (const child of children) this.#node(child, depth + 1)
  }

  #defaultsList({ list }: ExpandedDefaults): void {
    this.#write('')
    this.#header('Defaults List', '*')
    const rows = list.map(({ config, package: ofPackage, isSelf: self, parent }) => [
      config,
      ofPackage,
      self ? 'True' : 'False',
      parent ?? '<root>',
    ])
    this.#table(['Config path', 'Package', '_self_', 'Parent'], rows, ' ')
  }

  /** @param tail of the line of titles */
  #table(titles: readonly string[], rows: readonly (readonly string[])[], tail: string): void {
    const widths = titles.map((title, column) =>
      Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
    )
    const line = (cells: readonly string[]): string =>
      `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
    const header = line(titles) + tail
    this.#header(header, '-')
    for (const row of rows) this.#write(line(row))
    this.#write('-'.repeat(header.length))
  }

  #header(text: string, filler: string, prefix = ''): void {
    this.#write(prefix + text)
    this.#write(prefix + filler.repeat(text.length))
  }
}

/** As Hydra names it: `_self_` below the group of the config that includes the one whose it is. */
function labelOf(item: DefaultItem, parent: DefaultsNode | undefined): string {
  if (item.kind === 'group') return `${overrideKey(item)}: ${nameOf(item) ?? 'null'}`
  if (!isSelf(item)) return configPath(item)
  const group = parent?.item.parentGroup ?? ''
  return group === '' ? '_self_' : `${group}/_self_`
}
