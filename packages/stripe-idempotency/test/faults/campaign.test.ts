import { postgres, type Service, skipWithout } from '@loadbearing/harness/services'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCampaign, type Variant } from './campaign.ts'
import { violationsOf } from './checks.ts'

// Short; `main.ts` takes seeds and more of them.
describe.skipIf(skipWithout('postgres'))('while servers, bank and database die and connections break', () => {
  let database: Service

  beforeAll(async () => {
    database = await postgres({ name: 'idempotency-faults' })
  }, 120_000)
  afterAll(() => database?.stop())

  test('each transfer is made once, here and at the bank, and answered alike', async () => {
    const { seen, faults } = await runCampaign({ seed: 7, variant: 'ours', transfers: 40, database })
    expect(violationsOf(seen)).toEqual([])
    expect(seen.credits.length).toBeGreaterThan(0)
    expect(faults['server killed']).toBeGreaterThan(0)
  }, 120_000)

  // A check that finds nothing in these would find nothing anywhere.
  test.each<Variant>([
    'unlogged',
    'get-then-set',
    'no-fence',
    'send-before-store',
    'lease-as-ttl',
    'delete-on-error',
  ])(
    'keys kept by %s are found out',
    async (variant) => {
      const { seen } = await runCampaign({ seed: 7, variant, transfers: 30, database })
      expect(violationsOf(seen).length).toBeGreaterThan(0)
    },
    120_000,
  )
})
