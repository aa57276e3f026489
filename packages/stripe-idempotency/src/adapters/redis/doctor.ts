import { Buffer } from 'node:buffer'
import { IdempotencyError } from '../../errors.ts'
import type { Finding } from '../../store/store.ts'
import type { Port } from './client.ts'
import type { Durability } from './durability.ts'
import { infoOf } from './info.ts'

const clockSkewMax = 1000

/** @throws IdempotencyError `invalid_option` where Redis may throw records out; `store_unavailable` */
export async function requireNoEviction(port: Port): Promise<void> {
  const policy = (await infoOf(port, 'memory')).get('maxmemory_policy')
  if (policy === undefined || policy === 'noeviction') return
  throw new IdempotencyError(
    'invalid_option',
    `maxmemory-policy of this Redis is ${policy}: a record that it evicts is carried out again; set it to noeviction`,
  )
}

/** What would lose records, or carry a request out twice. */
export async function examine(
  port: Port,
  durability: Durability | undefined,
  serverNow: () => Promise<number>,
  now: () => number,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const find = (severity: Finding['severity'], subject: string, message: string): number =>
    findings.push({ severity, subject, message })
  const policy = (await infoOf(port, 'memory')).get('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    find(
      'error',
      'maxmemory-policy',
      `it is ${policy}, and a record that is evicted is carried out again: set it to noeviction`,
    )
  }
  if ((await infoOf(port, 'persistence')).get('aof_enabled') === '0') {
    find(
      'warning',
      'appendonly',
      'it is off, and a crash loses what was written since the last snapshot: set it to yes',
    )
  } else {
    const fsync = await setting(port, 'appendfsync')
    if (fsync === 'no' && durability?.aof === true) {
      find(
        'error',
        'appendfsync',
        'it is no, and waitAof waits for the disk: no write succeeds; set it to always, or to everysec',
      )
    } else if (fsync !== undefined && fsync !== 'always' && durability?.aof !== true) {
      find(
        'warning',
        'appendfsync',
        `it is ${fsync}, and a crash of the machine loses the last writes: set it to always, or waitAof`,
      )
    }
  }
  const replication = await infoOf(port, 'replication')
  const replicas = Number(replication.get('connected_slaves') ?? 0)
  const wanted = durability?.replicas ?? 0
  if (replication.get('role') === 'slave') find('error', 'server', 'it is a replica: take the master')
  else if (replicas < wanted) {
    find('error', 'waitReplicas', `it is ${wanted}, and ${replicas} are connected: no write succeeds`)
  } else if (wanted === 0 && replicas > 0) {
    find('warning', 'waitReplicas', `it is 0, and a failover to a replica may lose the last writes: set it`)
  }
  const asked = now()
  const skew = (await serverNow()) - (asked + now()) / 2
  if (Math.abs(skew) > clockSkewMax) {
    find('warning', 'clock', `the server's clock is ${Math.round(skew)} ms off this process's`)
  }
  return findings
}

/** Undefined where it may not be asked for. */
async function setting(port: Port, name: string): Promise<string | undefined> {
  try {
    const answered = await port.command?.(['CONFIG', 'GET', name])
    const value: unknown = Array.isArray(answered) ? answered[1] : Reflect.get(Object(answered), name)
    return typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : undefined
  } catch {
    return undefined
  }
}
