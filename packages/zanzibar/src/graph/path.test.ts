import { expect, test, vi } from 'vitest'
import { openZanzibar } from '../open-zanzibar.ts'
import { memoryStore } from '../store/memory-store.ts'
import { WideMap } from './wide-map.ts'

const model = `model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
`

test('a check along many groups that lead nowhere remembers none of them, and those that lead on', async () => {
  const [groups, deep] = [6000, 20]
  await using zanzibar = await openZanzibar({ model, store: memoryStore() })
  const link = (inner: string, outer: string) =>
    [`group:${inner}#member`, 'member', `group:${outer}`] as const
  const wide = Array.from({ length: groups }, (_, at) => link(`leaf-${at}`, 'wide'))
  const chain = Array.from({ length: deep }, (_, at) =>
    link(`chain-${at}`, at === 0 ? 'wide' : `chain-${at - 1}`),
  )
  await zanzibar.write({ add: [...wide, ...chain] })
  const [add, remove] = [vi.spyOn(WideMap.prototype, 'add'), vi.spyOn(WideMap.prototype, 'delete')]
  try {
    expect(await zanzibar.check('user:nobody', 'member', 'group:wide')).toBe(false)
    const kept = add.mock.calls.length - remove.mock.calls.length
    expect(add.mock.calls.length).toBeGreaterThanOrEqual(groups)
    expect(kept).toBeLessThanOrEqual(deep + 1)
    expect(kept).toBeGreaterThanOrEqual(deep - 1)
  } finally {
    add.mockRestore()
    remove.mockRestore()
  }
})
