import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgres, type Service, skipWithout } from '@loadbearing/harness/services'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { killReader } from './kill-reader.ts'
import { killWriters } from './kill-writers.ts'
import { seeded } from './seeded.ts'

// The campaigns of the command, cut short: it is main.ts that kills a thousand times.
describe('SQLite under kill -9', () => {
  it('holds every write wholly or not at all', async () => {
    await inFolder(async (folder) => {
      const { violations, answered } = await killWriters(join(folder, 'store'), {
        kills: 6,
        random: seeded(1),
      })
      expect(violations).toEqual([])
      expect(answered).toBeGreaterThan(0)
    })
  }, 120_000)

  it('gives a reader that is killed every change once', async () => {
    await inFolder(async (folder) => {
      const few = { changes: 120, kills: 2, processes: 2, lanes: 1, random: seeded(2) }
      expect(await killReader(join(folder, 'store'), few)).toEqual({ changes: 120, kills: 2, violations: [] })
    })
  }, 120_000)
})

describe.skipIf(skipWithout('postgres'))('PostgreSQL under kill -9 of its clients', () => {
  let server: Service

  beforeAll(async () => {
    server = await postgres()
  }, 120_000)

  afterAll(() => server?.stop())

  it('holds every write wholly or not at all', async () => {
    const { violations, answered } = await killWriters(server.url, { kills: 4, random: seeded(3) })
    expect(violations).toEqual([])
    expect(answered).toBeGreaterThan(0)
  }, 120_000)

  it('gives a reader that is killed every change once', async () => {
    const few = { changes: 120, kills: 2, processes: 2, lanes: 8, random: seeded(4) }
    expect(await killReader(server.url, few)).toEqual({ changes: 120, kills: 2, violations: [] })
  }, 120_000)
})

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'zanzibar-'))
  try {
    await body(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}
