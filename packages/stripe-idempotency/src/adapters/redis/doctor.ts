import { IdempotencyError } from '../../errors.ts'
import type { Finding } from '../../store/store.ts'
import type { Port } from './client.ts'

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
  serverNow: () => Promise<number>,
  now: () => number,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const memory = await infoOf(port, 'memory')
  const policy = memory.get('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    findings.push({
      severity: 'error',
      subject: 'maxmemory-policy',
      message: `it is ${policy}, and a record that is evicted is carried out again: set it to noeviction`,
    })
  }
  if ((await infoOf(port, 'persistence')).get('aof_enabled') === '0') {
    findings.push({
      severity: 'warning',
      subject: 'appendonly',
      message: 'it is off, and a crash loses what was written since the last snapshot: set it to yes',
    })
  }
  if ((await infoOf(port, 'replication')).get('role') === 'slave') {
    findings.push({ severity: 'error', subject: 'server', message: 'it is a replica: take the master' })
  }
  const asked = now()
  const skew = (await serverNow()) - (asked + now()) / 2
  if (Math.abs(skew) > clockSkewMax) {
    const message = `the server's clock is ${Math.round(skew)} ms off this process's`
    findings.push({ severity: 'warning', subject: 'clock', message })
  }
  return findings
}

async function infoOf(port: Port, section: string): Promise<ReadonlyMap<string, string>> {
  let text: string
  try {
    text = await port.info(section)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IdempotencyError('store_unavailable', `Redis did not answer INFO ${section}: ${reason}`, {
      cause,
    })
  }
  return new Map(
    text.split('\r\n').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)]
    }),
  )
}
