import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** How to start a program in another language; or, in a sentence, why it cannot be had. */
export type Found = { readonly command: string; readonly args: readonly string[] } | Missing

export interface Missing {
  readonly missing: string
}

/** A program in Java, and the libraries of Maven Central that it stands on. */
export interface JavaProgram {
  /** Its folder, with a pom.xml that names the libraries. */
  readonly folder: string
  readonly files: readonly string[]
  readonly main: string
  /** Where jars and classes are kept, below ~/.cache/loadbearing. */
  readonly cache: string
  /** A jar that is there when all are. */
  readonly jar: string
  /** Of the JVM. Default: none. */
  readonly options?: readonly string[]
}

/** A Python with these packages of PyPI in it, each named as pip wants it (`stripe==16.1.0`). */
export interface PythonPackages {
  readonly packages: readonly string[]
  /** Where it is kept, below ~/.cache/loadbearing. Another list wants another folder. */
  readonly cache: string
}

/** Fetches its jars, once, and compiles it, each time. */
export function findJava({ folder, files, main, cache, jar, options = [] }: JavaProgram): Found {
  const home = cacheFolder(cache)
  const [jars, classes] = [join(home, 'jars'), join(home, 'classes')]
  mkdirSync(classes, { recursive: true })
  const fetch = ['-B', '-q', '-ntp', '-f', join(folder, 'pom.xml'), 'dependency:copy-dependencies']
  const sources = files.map((file) => join(folder, file))
  const fault =
    (existsSync(join(jars, jar))
      ? undefined
      : faultOf('mvn', [...fetch, '-DincludeScope=runtime', `-DoutputDirectory=${jars}`])) ??
    faultOf('javac', ['-nowarn', '-cp', join(jars, '*'), '-d', classes, ...sources])
  if (fault !== undefined) return { missing: fault }
  const speed = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  return { command: 'java', args: [...speed, ...options, '-cp', `${classes}:${join(jars, '*')}`, main] }
}

/** Makes its virtual environment, once; the caller adds the program to the arguments. */
export function findPython({ packages, cache }: PythonPackages): Found {
  const home = cacheFolder(cache)
  const python = join(home, 'bin', 'python')
  const installed = join(home, 'installed')
  const fault = existsSync(installed)
    ? undefined
    : (faultOf('python3', ['-m', 'venv', home]) ??
      faultOf(python, ['-m', 'pip', 'install', '--quiet', ...packages]))
  if (fault !== undefined) return { missing: fault }
  mkdirSync(installed, { recursive: true })
  return { command: python, args: [] }
}

function cacheFolder(name: string): string {
  return join(homedir(), '.cache', 'loadbearing', name)
}

/** undefined where it ended well. */
function faultOf(program: string, args: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 5 * 60_000 })
  if (status === 0) return undefined
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return `no ${program} on PATH`
  return `${program} ended with ${status}: ${stderr.trim().split('\n').at(-1) ?? ''}`
}
