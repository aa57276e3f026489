import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { memoryStore } from './memory.ts'
import { numberOf } from './place-number.ts'

// Found by going through 50,769 of them.
const onOnePlace = [19_240, 50_768] as const

test('keys that fall on one place have a record each, among others', async () => {
  const [first, second] = onOnePlace.map((n) => numberOf({ scope: 'acct_1', key: keyOf(n) }))
  expect(first).toBe(second)
  const numbers = [...onOnePlace, ...Array.from({ length: 1000 }, (_, n) => n)]
  const many = numbers.length
  let now = 0
  const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
  const store = memoryStore({ clock, capacity: many })
  const claimOf = (n: number) => ({
    scope: 'acct_1',
    key: keyOf(n),
    endpoint: 'POST /v1/charges',
    fingerprint: Buffer.alloc(32),
    id: `id-${n}`,
    owner: `owner-${n}`,
    lease: 1000,
    ttl: 5000,
    onAbandoned: 'rerun' as const,
    operation: null,
  })
  for (const n of numbers) {
    const { claimed, record } = await store.claim(claimOf(n))
    if (!claimed || !(await store.complete(record, Buffer.from(String(n)))))
      throw new Error(`${keyOf(n)} is new`)
  }
  for (const n of numbers) {
    const found = await store.find('acct_1', keyOf(n))
    if (found?.key !== keyOf(n) || String(found.response) !== String(n))
      throw new Error(`${keyOf(n)} is lost`)
  }
  await expect(async () => store.claim(claimOf(many))).rejects.toThrow('as many as its capacity')
  expect(await store.find('acct_2', keyOf(1))).toBeUndefined()
  now = 6000
  expect(await store.reap(10)).toBe(10)
  expect(await store.reap(many)).toBe(many - 10)
  expect((await store.claim(claimOf(1))).claimed).toBe(true)
  expect(await store.list({ limit: 10 })).toHaveLength(1)
})

function keyOf(n: number): string {
  return `key-${Math.imul(n, 0x9e3779b1) >>> 0}-${n}`
}
