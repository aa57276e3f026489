import { expect, test } from 'vitest'
import { openZanzibar } from './open-zanzibar.ts'
import { type ZanzibarMatchers, zanzibarMatchers } from './testing.ts'

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown>
    extends ZanzibarMatchers<Promise<void>> {}
}

expect.extend(zanzibarMatchers)

test('says who may, and fails where it is otherwise', async () => {
  await using zanzibar = await openZanzibar({
    model: 'model\n  schema 1.1\ntype user\ntype document\n  relations\n    define viewer: [user]\n',
  })
  await zanzibar.write({ add: [['user:anne', 'viewer', 'document:1']] })
  await expect(zanzibar).toAllow('user:anne', 'viewer', 'document:1')
  await expect(zanzibar).not.toAllow('user:bob', 'viewer', 'document:1')
  const contextualTuples = [['user:bob', 'viewer', 'document:1']] as const
  await expect(zanzibar).toAllow('user:bob', 'viewer', 'document:1', { contextualTuples })
  await expect(expect(zanzibar).toAllow('user:bob', 'viewer', 'document:1')).rejects.toThrow(
    'expected user:bob to be viewer of document:1',
  )
  await expect(expect(zanzibar).not.toAllow('user:anne', 'viewer', 'document:1')).rejects.toThrow(
    'expected user:anne not to be viewer of document:1',
  )
  await expect(expect(zanzibar).toAllow('user:anne', 'viewr', 'document:1')).rejects.toMatchObject({
    code: 'validation_error',
  })
})
