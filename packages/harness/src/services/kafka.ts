import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../faults/loopback-port.ts'
import { lease } from './lease.ts'
import { ask } from './probe.ts'
import { findProgram, isExecutable } from './program.ts'
import type { Recipe, ServerCommand, ServerHome } from './recipe.ts'
import type { Service, ServiceOptions } from './service.ts'

/** @internal */
export const kafkaRecipe: Recipe = {
  kind: 'kafka',
  variable: 'LOADBEARING_KAFKA_BROKERS',
  schemes: { '': 9092, kafka: 9092 },
  stopSignal: 'SIGTERM',
  abortSignal: 'SIGKILL',
  find: () => {
    if (!hasJars()) return { found: false, reason: 'KAFKA_HOME names no folder whose libs hold Kafka 4 jars' }
    return java() === undefined
      ? { found: false, reason: 'no java (17 or newer) in JAVA_HOME or on PATH' }
      : { found: true }
  },
  prepare: async (home, run) => {
    const controllerPort = await freePort()
    await writeFile(join(home.folder, 'log4j2.properties'), logging)
    await writeFile(join(home.folder, 'server.properties'), properties(home, controllerPort))
    // 16 random bytes in URL-safe base64 are what Kafka takes as the id of a cluster; it may not begin with a dash.
    const cluster = `A${randomBytes(16).toString('base64url').slice(1)}`
    const config = join(home.folder, 'server.properties')
    await run(javaCommand(home, 'kafka.tools.StorageTool', 'format', '-t', cluster, '-c', config))
  },
  command: (home) => javaCommand(home, 'kafka.Kafka', join(home.folder, 'server.properties')),
  url: ({ port }) => `127.0.0.1:${port}`,
  answers: (host, port) => ask(host, port, metadataRequest(), judgeMetadata),
}

/**
 * Apache Kafka, one node in KRaft mode: that of `LOADBEARING_KAFKA_BROKERS` (`host:port,…`), else started on loopback
 * with `java` from the jars in `KAFKA_HOME/libs`, as in a distribution of Kafka 4. Its `url` is the list of bootstrap
 * brokers. Transactions and both group protocols work; topics are made on first use, with one partition.
 *
 * @throws HarnessError `SERVICE_NOT_FOUND`, `SERVICE_UNREACHABLE`, `SERVICE_FAILED`, `BAD_OPTION`.
 */
export function kafka(options?: ServiceOptions): Promise<Service> {
  return lease(kafkaRecipe, options)
}

const logging = `rootLogger.level = WARN
rootLogger.appenderRef.out.ref = OUT
appender.out.type = Console
appender.out.name = OUT
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1} %m%n
`

function properties({ data, port }: ServerHome, controllerPort: number): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 4,
    // A killed broker is waited for, when it comes back, until its old session has ended.
    'broker.session.timeout.ms': 2_000,
    'broker.heartbeat.interval.ms': 500,
    'group.initial.rebalance.delay.ms': 0,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

function javaCommand({ folder }: ServerHome, mainClass: string, ...args: string[]): ServerCommand {
  const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true']
  return {
    program: java() ?? 'java',
    args: flags.concat(
      `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
      ['-cp', join(libs(), '*'), mainClass],
      args,
    ),
  }
}

function libs(): string {
  return join(process.env['KAFKA_HOME'] ?? '', 'libs')
}

function hasJars(): boolean {
  if (!process.env['KAFKA_HOME']) return false
  try {
    return readdirSync(libs()).some((name) => /^kafka_[\d.]+-4.*\.jar$/.test(name))
  } catch {
    return false
  }
}

function java(): string | undefined {
  const home = process.env['JAVA_HOME']
  const own = home === undefined || home === '' ? undefined : join(home, 'bin', 'java')
  return own !== undefined && isExecutable(own) ? own : findProgram('java')
}

// https://kafka.apache.org/protocol: Metadata (3), version 1, of no topic. A broker lists itself when it takes requests.
function metadataRequest(): Buffer {
  const body = Buffer.from([0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0])
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

function judgeMetadata(reply: Buffer): boolean | undefined {
  if (reply.length < 4 || reply.length < 4 + reply.readInt32BE(0)) return undefined
  return reply.length >= 12 && reply.readInt32BE(4) === 1 && reply.readInt32BE(8) >= 1
}
