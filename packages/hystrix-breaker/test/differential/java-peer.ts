import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Oracle, startOracle } from '@loadbearing/harness/oracle'

const sources = join(import.meta.dirname, 'java')

/** `Peer`: resilience4j and concurrency-limits. The other: Hystrix. */
export type PeerClass = 'Peer' | 'com.netflix.hystrix.util.CommandPeer'

/** The real classes in a JVM; jars from Maven Central, fetched once. Says why where it cannot be had. */
export async function startJavaPeer(
  peer: PeerClass = 'Peer',
): Promise<Oracle | { readonly missing: string }> {
  const cache = join(homedir(), '.cache', 'loadbearing', 'hystrix-breaker-peer-2')
  const jars = join(cache, 'jars')
  const classes = join(cache, 'classes')
  mkdirSync(classes, { recursive: true })
  const fault =
    (existsSync(join(jars, 'hystrix-core-1.5.18.jar'))
      ? undefined
      : await run('mvn', [
          '-B',
          '-q',
          '-ntp',
          '-f',
          join(sources, 'pom.xml'),
          'dependency:copy-dependencies',
          '-DincludeScope=runtime',
          `-DoutputDirectory=${jars}`,
        ])) ??
    (await run('javac', [
      '-nowarn',
      '-cp',
      join(jars, '*'),
      '-d',
      classes,
      join(sources, 'Peer.java'),
      join(sources, 'CommandPeer.java'),
    ]))
  if (fault !== undefined) return { missing: fault }
  const classPath = `${classes}:${join(jars, '*')}`
  return startOracle({
    command: 'java',
    args: ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath, peer],
    timeout: '60s',
  })
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
