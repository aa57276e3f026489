import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { skipWithout } from '@loadbearing/harness/services'
import { describe, expect, test } from 'vitest'
import { ask, request } from './client.ts'
import { seeded } from './seeded.ts'
import { Stand } from './stand.ts'
import { openStage } from './stores/open.ts'

const retention = 3000
const servers = { postgres: 'postgres', redis: 'redis', sqlite: undefined } as const
const command = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** What the command of the package answers. */
async function idem(store: string, ...args: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=@loadbearing/source',
    command,
    ...args,
    '--store',
    store,
  ])
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line))
}

describe.each(['postgres', 'redis', 'sqlite'] as const)('on %s', (kind) => {
  const server = servers[kind]
  test.skipIf(server !== undefined && skipWithout(server))(
    'a bank that may have forgotten its key is not called again; the record is uncertain until somebody settles it',
    async () => {
      await using stage = await openStage(kind)
      await using stand = await Stand.start({
        stage,
        seed: 1,
        servers: 1,
        crashAt: 'credited/bank.after:1',
        completes: true,
        bank: { faults: 0, retention, remembers: false },
      })
      const [place] = stand.places
      if (place === undefined) throw new Error('there is a server')
      const transfer = request({ tenant: 'acct_a', key: 'k', amount: 5, to: 'bank' })
      const url = [place.front.url]
      // The bank credits it, and the server dies before it has written that down.
      await ask(transfer, url, seeded(1), 1)
      expect((await place.server.exit).crashedAt).toEqual({ name: 'credited/bank.after', n: 1 })
      const [call, credit] = stand.bankLog
      expect([call?.kind, credit?.kind]).toEqual(['call', 'credit'])
      await pause(retention)
      await stand.restart(place)

      expect(await ask(transfer, url, seeded(1), 10)).toBe(false)
      expect(transfer.refusals.at(-1)).toBe('{"code":"uncertain"}')
      expect(stand.bankLog).toHaveLength(2)

      const store = kind === 'sqlite' ? `sqlite:${stage.url}` : stage.url
      const records = await idem(store, 'ls', '--state', 'uncertain')
      expect(records).toEqual([expect.objectContaining({ scope: 'acct_a', operation: 'transfer' })])
      const applied = JSON.stringify(Reflect.get(Object(credit), 'credit'))
      await idem(store, 'resolve', String(records[0]?.['id']), '--applied', applied)

      expect(await ask(transfer, url, seeded(1), 40)).toBe(true)
      expect(JSON.parse(transfer.answers[0] ?? '')).toMatchObject({ credit: JSON.parse(applied) })
      expect(stand.bankLog).toHaveLength(2)
      const { entries } = await stage.look()
      expect(entries.map((entry) => entry.kind)).toEqual(['debit', 'done'])
    },
    60_000,
  )
})
