import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Oracle } from '@loadbearing/harness/oracle'
import type { ConfigSource } from '@loadbearing/hydra-config'
import { runCommandLine } from '@loadbearing/hydra-config/app'
import { folderApp } from '../../src/adapters/folder-app.ts'
import { systemPlatform } from '../../src/adapters/system-platform.ts'
import { masked } from './cli-cases.ts'
import { ourStderr, theirStderr } from './cli-stderr.ts'
import { type StoreEntry, storeSource } from './store-cases.ts'
import type { TypedStruct } from './typed-case.ts'

/** What both wrote and how they ended, times and places masked. */
interface Told {
  readonly stdout: string
  readonly stderr: string
  readonly exit: number
}

/** An app of a checkout: a Python file, and what it stores in Hydra's ConfigStore. */
interface App {
  readonly folder: string
  readonly script: string
  readonly stored: readonly string[]
  readonly store: ConfigSource | undefined
}

type StoredBy =
  | { readonly structs: readonly TypedStruct[]; readonly store: readonly StoreEntry[] }
  | { readonly failed: string }

/** What came of the apps of a checkout. */
export interface AppsReport {
  readonly apps: number
  /** Of these, those with a ConfigStore. */
  readonly storing: number
  readonly lines: number
  readonly differed: number
  /** Apps that were not compared, and why. */
  readonly left: readonly { readonly app: string; readonly reason: string }[]
}

/**
 * Puts command lines that show configuration to every app below a folder, such as a checkout of Hydra, and compares what
 * the running Hydra tells with what `hydra-config` tells of the same folder.
 */
export async function compareApps(
  oracle: Oracle,
  root: string,
  log: (text: string) => void,
): Promise<AppsReport> {
  const left: { app: string; reason: string }[] = []
  let [apps, storing, lines, differed] = [0, 0, 0, 0]
  for (const script of scriptsBelow(resolve(root))) {
    const name = relative(resolve(root), script)
    const app = await appOf(oracle, script)
    if ('reason' in app) {
      left.push({ app: name, reason: app.reason })
      continue
    }
    apps++
    if (app.store !== undefined) storing++
    for (const argv of await commandLines(app)) {
      lines++
      const [ours, theirs] = [await ourAnswer(app, argv), await theirAnswer(oracle, app, argv)]
      if (JSON.stringify(ours) === JSON.stringify(theirs)) continue
      differed++
      log(`\n${name} ${argv.join(' ')}\nours   ${shown(ours)}\ntheirs ${shown(theirs)}`)
    }
  }
  return { apps, storing, lines, differed, left }
}

function shown({ exit, stdout, stderr }: Told): string {
  return `exit ${exit}\n${stdout}${stderr === '' ? '' : `standard error:\n${stderr}`}`
}

function scriptsBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((each) => each.endsWith('.py'))
    .map((each) => join(folder, each))
    .filter((each) => /\bhydra\.main\(/.test(readFileSync(each, 'utf8')))
    .toSorted()
}

async function appOf(oracle: Oracle, path: string): Promise<App | { readonly reason: string }> {
  const folder = dirname(path)
  const text = readFileSync(path, 'utf8')
  if (!/version_base\s*=\s*(?:None|"1\.[23]")/.test(text)) return { reason: 'asks for a Hydra before 1.2' }
  if (!/^@hydra\.main\(/m.test(text)) return { reason: 'calls hydra.main as a function' }
  if (readdirSync(folder).includes('hydra_plugins')) return { reason: 'brings plugins in Python' }
  if (textsBelow(folder).some((each) => each.includes('pkg://')))
    return { reason: 'searches a Python package' }
  const script = basename(path)
  const { ok } = (await oracle.ask({ op: 'stored_by', folder, script })) as { ok: StoredBy }
  if ('failed' in ok) return { reason: `its ConfigStore: ${ok.failed}` }
  return {
    folder,
    script,
    stored: ok.store.map(({ name }) => name),
    store: ok.store.length === 0 ? undefined : storeSource(ok.structs, ok.store),
  }
}

function textsBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((each) => each.endsWith('.yaml'))
    .map((each) => readFileSync(join(folder, each), 'utf8'))
}

/** All that shows the configuration, then the same with what its config groups offer. */
async function commandLines(app: App): Promise<readonly (readonly string[])[]> {
  const { stdout } = await ourAnswer(app, ['--cfg', 'job'])
  const keys = [...stdout.matchAll(/^([A-Za-z_]\w*):/gm)].map(([, key]) => key ?? '')
  const lines = [
    ...['job', 'hydra', 'all'].flatMap((of) => [`--cfg ${of}`, `--cfg ${of} --resolve`]),
    ...['defaults', 'defaults-tree', 'config', 'searchpath'].map((of) => `--info ${of}`),
    ...keys.flatMap((key) => [`--cfg job -p ${key}`, `--cfg job -p ${key} --resolve`]),
    '--cfg job -p nope',
    '--cfg hydra -p hydra.job',
    '--cfg all -p hydra.runtime.choices',
    '--help',
    ...configsOf(app).flatMap((config) => {
      const at = config.lastIndexOf('/')
      if (at === -1) return [`-cn ${config} --cfg job`, `-cn ${config} --info defaults-tree`]
      const choice = `${config.slice(0, at)}=${config.slice(at + 1)}`
      return [
        `${choice} --cfg job`,
        `${choice} --cfg hydra`,
        `${choice} --info defaults`,
        `${choice} --info defaults-tree`,
        `+${choice} --cfg job`,
        `+${choice} --info defaults-tree`,
        `~${config.slice(0, at)} --cfg job`,
      ]
    }),
  ]
  return [...new Set(lines)].map((line) => line.split(' '))
}

/** By the names that the command line knows them by. */
function configsOf({ folder, stored, script }: App): readonly string[] {
  const path = /config_path\s*=\s*"([^"]*)"/.exec(readFileSync(join(folder, script), 'utf8'))?.[1]
  const home = path === undefined ? undefined : resolve(folder, path)
  const files =
    home === undefined || statSync(home, { throwIfNoEntry: false })?.isDirectory() !== true
      ? []
      : readdirSync(home, { recursive: true, encoding: 'utf8' })
  const named = files.filter((each) => each.endsWith('.yaml')).map((each) => each.slice(0, -'.yaml'.length))
  return [...new Set([...named, ...stored])].toSorted()
}

async function ourAnswer({ folder, script, store }: App, argv: readonly string[]): Promise<Told> {
  let [stdout, stderr] = ['', '']
  const platform = {
    ...systemPlatform,
    columns: 80,
    cwd: () => folder,
    resolve: (path: string) => resolve(folder, path),
    out: (text: string) => void (stdout += text),
    err: (text: string) => void (stderr += text),
  }
  const { app, rest } = folderApp([script, ...argv], platform)
  const exit = await runCommandLine({ ...app, program: script, store }, rest, platform)
  const inApp = (text: string): string => text.replaceAll(folder, '/app')
  return { stdout: alike(inApp(stdout)), stderr: alike(ourStderr(inApp(stderr))), exit }
}

async function theirAnswer(oracle: Oracle, { folder, script }: App, argv: readonly string[]): Promise<Told> {
  const { ok } = (await oracle.ask({ op: 'app', folder, script, argv })) as { ok: Told }
  return { stdout: alike(ok.stdout), stderr: alike(onceTold(theirStderr(ok.stderr))), exit: ok.exit }
}

function alike(text: string): string {
  return masked(text).replace(/^( *version: ).*$/gm, '$1<version>')
}

/** Python tells a warning once for each line of source that it comes from; we tell it once. */
function onceTold(stderr: string): string {
  const parts = stderr.replace(/^<frozen runpy>:\d+: /gm, '').split(/(?=^UserWarning: )/m)
  return [...new Set(parts)].join('')
}
