import {
  appendFileSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Platform, PlatformFiles } from '../job/platform.ts'
import { systemEnvironment } from '../ports.ts'
import { fromDir } from './dir.ts'
import { fromPackage } from './package.ts'

/** The machine as it is. */
export const systemPlatform: Platform = {
  clock: () => Date.now(),
  environment: systemEnvironment,
  nodeVersion: process.versions.node,
  get columns() {
    const told = Number(process.env['COLUMNS'])
    return told > 0 ? told : (process.stdout.columns ?? 80)
  },
  cwd: () => process.cwd(),
  resolve: (path) => resolve(path),
  out: (text) => {
    process.stdout.write(text)
  },
  err: (text) => {
    process.stderr.write(text)
  },
  open: (path) => {
    if (path.startsWith('pkg://')) return fromPackage(path)
    return fromDir(path.startsWith('file://') ? path.slice('file://'.length) : path)
  },
  files: systemFiles(),
  changeDirectory: (path) => {
    const before = process.cwd()
    process.chdir(path)
    return () => process.chdir(before)
  },
  setEnvironment: (variables) => {
    const before = new Map(variables.keys().map((name) => [name, process.env[name]] as const))
    for (const [name, value] of variables) process.env[name] = value
    return () => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    }
  },
}

function systemFiles(): PlatformFiles {
  return {
    makeFolder: (path) => void mkdirSync(path, { recursive: true }),
    writeFolder,
    writeFile: (path, text) => {
      const fresh = `${path}.${process.pid}.tmp`
      writeFileSync(fresh, text)
      renameSync(fresh, path)
    },
    openLog: (path, truncate) => {
      const file = openSync(path, truncate ? 'w' : 'a')
      return { write: (text) => appendFileSync(file, text), close: () => closeSync(file) }
    },
    read: (path) =>
      statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path, 'utf8') : undefined,
    isFolder,
    list: (path) => (isFolder(path) ? readdirSync(path) : []),
  }
}

/**
 * Made beside its place and moved there, so that who looks, or kills this process, finds the whole folder or none. What
 * else is in a folder of that name stays in it.
 */
function writeFolder(path: string, files: ReadonlyMap<string, string>): void {
  const fresh = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  const old = `${fresh}.old`
  for (const each of [fresh, old]) rmSync(each, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  for (const [name, text] of files) writeFileSync(join(fresh, name), text)
  if (!existsSync(path)) {
    renameSync(fresh, path)
    return
  }
  for (const name of readdirSync(path)) {
    if (!files.has(name)) cpSync(join(path, name), join(fresh, name), { recursive: true })
  }
  renameSync(path, old)
  renameSync(fresh, path)
  rmSync(old, { recursive: true, force: true })
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
