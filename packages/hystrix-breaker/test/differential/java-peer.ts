import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Oracle, startOracle } from '@loadbearing/harness/oracle'

/** A program in Java that answers JSON lines, and the libraries that it holds up to ours. */
interface JavaProgram {
  /** Its folder, with a pom.xml that names the libraries. */
  readonly folder: string
  readonly files: readonly string[]
  readonly main: string
  /** Where jars and classes are kept, below ~/.cache/loadbearing. */
  readonly cache: string
  /** A jar that is there when all are. */
  readonly jar: string
}

/** `Peer`: resilience4j and concurrency-limits. The other: Hystrix. */
export type PeerClass = 'Peer' | 'com.netflix.hystrix.util.CommandPeer'

/** The real resilience4j, concurrency-limits or Hystrix in a JVM. Says why where it cannot be had. */
export function startJavaPeer(peer: PeerClass = 'Peer'): Promise<Oracle | { readonly missing: string }> {
  return startJava({
    folder: join(import.meta.dirname, 'java'),
    files: ['Peer.java', 'CommandPeer.java'],
    main: peer,
    cache: 'hystrix-breaker-peer-2',
    jar: 'hystrix-core-1.5.18.jar',
  })
}

/** Starts a program in a JVM; its jars come from Maven Central, fetched once. Says why where it cannot be had. */
export async function startJava(program: JavaProgram): Promise<Oracle | { readonly missing: string }> {
  const cache = join(homedir(), '.cache', 'loadbearing', program.cache)
  const jars = join(cache, 'jars')
  const classes = join(cache, 'classes')
  mkdirSync(classes, { recursive: true })
  const fault =
    (existsSync(join(jars, program.jar)) ? undefined : await fetchJars(program.folder, jars)) ??
    (await run('javac', [
      '-nowarn',
      '-cp',
      join(jars, '*'),
      '-d',
      classes,
      ...program.files.map((file) => join(program.folder, file)),
    ]))
  if (fault !== undefined) return { missing: fault }
  return startOracle({
    command: 'java',
    args: [
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      `${classes}:${join(jars, '*')}`,
      program.main,
    ],
    timeout: '60s',
  })
}

function fetchJars(folder: string, jars: string): Promise<string | undefined> {
  return run('mvn', [
    '-B',
    '-q',
    '-ntp',
    '-f',
    join(folder, 'pom.xml'),
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${jars}`,
  ])
}

/** undefined where it ended well, else a sentence. */
async function run(program: string, args: readonly string[]): Promise<string | undefined> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 5 * 60_000 })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  try {
    const [status] = await once(child, 'close')
    if (status === 0) return undefined
    const last = said.trim().split('\n').at(-1) ?? ''
    return `${program} ended with ${String(status)}: ${last}`
  } catch {
    return `no ${program} on PATH`
  }
}
