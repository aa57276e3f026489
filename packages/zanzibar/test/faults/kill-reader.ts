import { startChild } from '@loadbearing/harness/faults'
import type { Change } from '../../src/store/tuple-store.ts'
import { openStore } from './open-store.ts'

/** What a campaign came to. */
export interface Followed {
  readonly changes: number
  readonly kills: number
  readonly violations: readonly string[]
}

const writer = new URL('programs/writer.ts', import.meta.url)
const reader = new URL('programs/reader.ts', import.meta.url)

/** Follows the changes of a store that many write to, from a process that is killed again and again and goes on where it was. */
export async function killReader(
  address: string,
  options: {
    readonly changes: number
    readonly kills: number
    readonly processes: number
    readonly lanes: number
    readonly random: () => number
  },
): Promise<Followed> {
  await using opened = await openStore(address)
  const { id } = await opened.store.createStore('feed')
  const writers = await Promise.all(
    Array.from({ length: options.processes }, (_, index) =>
      startChild(writer, { args: [address, id, `w${index}`, '0', String(options.lanes)] }),
    ),
  )
  const seen: Change[] = []
  try {
    for (let kill = 0; kill <= options.kills; kill++) {
      const isLast = kill === options.kills
      const part = (options.changes - seen.length) / (options.kills + 1 - kill)
      const wanted = isLast ? options.changes : seen.length + Math.ceil(part * 2 * options.random())
      const child = await startChild(reader, { args: [address, id, String(seen.at(-1)?.position ?? 0)] })
      while (seen.length < wanted) {
        const message = await child.message(isChange, { within: '60s' })
        if (isChange(message)) seen.push(message)
      }
      await child.kill()
    }
  } finally {
    await Promise.all(writers.map((child) => child.kill()))
  }
  const violations: string[] = []
  for (let index = 0; index < seen.length; ) {
    const stored = await opened.store.changes(id, { after: seen[index - 1]?.position, limit: 1000 })
    if (stored.length === 0) violations.push(`${seen.length - index} changes that the store does not know`)
    for (const change of stored) {
      const heard = seen[index++]
      if (heard === undefined) break
      if (JSON.stringify(heard) !== JSON.stringify(change)) {
        violations.push(`heard ${JSON.stringify(heard)}, stored ${JSON.stringify(change)}`)
      }
    }
    if (violations.length > 0) break
  }
  return { changes: seen.length, kills: options.kills, violations }
}

function isChange(message: unknown): message is Change {
  return typeof message === 'object' && message !== null && 'position' in message
}
