import { expect, it } from 'vitest'
import { memoryStore } from '../../src/store/memory-store.ts'
import { Ledger } from './ledger.ts'
import { unit } from './unit.ts'

it('finds nothing wrong with whole writes, and what is wrong with others', async () => {
  await using store = memoryStore()
  const { id } = await store.createStore('ledger')
  const ledger = new Ledger(store, id)
  await store.write(id, { writes: unit('a', 0) })
  expect(await ledger.violations([{ name: 'a', index: 0, revision: 1 }])).toEqual([])
  expect(ledger.nextOf('a', [])).toBe(1)

  expect(await ledger.violations([{ name: 'a', index: 1, revision: 2 }])).toEqual([
    'a-1 was answered with revision 2, and was written by undefined',
  ])
  await store.write(id, { writes: unit('a', 2).slice(0, 3), deletes: unit('a', 0).slice(0, 1) })
  expect(await ledger.violations([])).toEqual([
    'revision 2 is torn: 1 times delete doc:a-0',
    'revision 2 is torn: 3 times write doc:a-2',
  ])
  await store.write(id, { writes: unit('a', 0).slice(0, 1) })
  expect(await ledger.violations([])).toContain('doc:a-0 was written twice')
})
