import { describe, expect, test } from 'vitest'
import { memoryStore, openFgaApi, openZanzibar, type Tuple } from '../../src/index.ts'

const model = `
model
  schema 1.1
type user
type folder
  relations
    define viewer: [user, user with granted, user:*, user:* with granted]
type document
  relations
    define parent: [folder, folder with granted]
    define viewer: [user, user with granted] or viewer from parent
condition granted(on: bool) {
  on
}
`

/** Of one key: the stored tuple, then the contextual one. */
const keys = {
  "the user's own": { user: 'user:anne', relation: 'viewer', object: 'document:1' },
  "the user's own, of a parent": { user: 'user:anne', relation: 'viewer', object: 'folder:1' },
  "everyone's": { user: 'user:*', relation: 'viewer', object: 'folder:1' },
  'that of the parent': { user: 'folder:1', relation: 'parent', object: 'document:1' },
} as const

/** Together with one of them they lead to the document. */
const rest: Readonly<Record<keyof typeof keys, readonly Tuple[]>> = {
  "the user's own": [],
  "the user's own, of a parent": [keys['that of the parent']],
  "everyone's": [keys['that of the parent']],
  'that of the parent': [keys["the user's own, of a parent"]],
}

const granted = (tuple: Tuple, on: boolean): Tuple => ({
  ...tuple,
  condition: { name: 'granted', context: { on } },
})

describe.each(Object.keys(keys) as (keyof typeof keys)[])(
  'a contextual tuple of the key of a stored one: %s',
  (name) => {
    // As where OpenFGA looks for one tuple, and where it reads several.
    const hides = name.startsWith('the user')

    test.each([
      ['openfga-v1', true],
      ['openfga-v1', false],
      ['openfga-v2', true],
      ['openfga-v2', false],
    ] as const)(
      'hides it from checks, or does not, and lists say the same: %s, %s',
      async (semantics, on) => {
        await using zanzibar = await openZanzibar({ model, semantics })
        await zanzibar.write({ add: [granted(keys[name], !on), ...rest[name]] })
        const options = { contextualTuples: [granted(keys[name], on)] }
        // In v2 everyone's is looked for as the user's own is.
        const isAllowed = on || !(hides || (semantics === 'openfga-v2' && name === "everyone's"))
        expect(await zanzibar.check('user:anne', 'viewer', 'document:1', options)).toBe(isAllowed)
        const objects = await Array.fromAsync(
          zanzibar.listObjects('user:anne', 'viewer', 'document', options),
        )
        expect(objects).toEqual(isAllowed ? ['document:1'] : [])
        const { users, everyone } = await zanzibar.listUsers('document:1', 'viewer', 'user', options)
        expect(users.length > 0 || everyone).toBe(isAllowed)
      },
    )

    test("hides it from no list where the API is OpenFGA's, as OpenFGA v1.22.1 answers", async () => {
      await using store = memoryStore()
      const zanzibar = await openZanzibar({ store, model, name: 'one' })
      await zanzibar.write({ add: [keys[name], ...rest[name]] })
      const api = openFgaApi({ store })
      const { storeId } = zanzibar
      const hiding = [granted(keys[name], false)]
      const contextual = { contextual_tuples: { tuple_keys: hiding } }
      const key = { user: 'user:anne', relation: 'viewer', object: 'document:1' }
      expect(await api.check(storeId, { tuple_key: key, ...contextual })).toMatchObject({ allowed: !hides })
      const { objects } = await api.listObjects(storeId, {
        user: 'user:anne',
        relation: 'viewer',
        type: 'document',
        ...contextual,
      })
      expect(objects).toEqual(['document:1'])
      const { users } = await api.listUsers(storeId, {
        object: { type: 'document', id: '1' },
        relation: 'viewer',
        user_filters: [{ type: 'user' }],
        contextual_tuples: hiding,
      })
      expect(users).toHaveLength(1)
    })
  },
)
