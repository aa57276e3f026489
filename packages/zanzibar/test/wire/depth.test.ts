import { expect, test } from 'vitest'
import { memoryStore } from '../../src/index.ts'
import { openFgaApi } from '../../src/wire/openfga-api.ts'

// Recorded of OpenFGA 1.22.1, whose batches have words of their own.
const code = 'authorization_model_resolution_too_complex'
const alone =
  'Authorization Model resolution required too many rewrite rules to be resolved. Check your authorization model for infinite recursion or too much nesting'
const batched = 'resolution depth exceeded'

test('what leads too far is refused in the words of its call', async () => {
  const store = memoryStore()
  const api = openFgaApi({ store })
  const { id } = await store.createStore('depth')
  const ofMembers = { directly_related_user_types: [{ type: 'user' }, { type: 'group', relation: 'lead' }] }
  const ofLeads = { directly_related_user_types: [{ type: 'user' }, { type: 'group', relation: 'member' }] }
  await api.writeAuthorizationModel(id, {
    schema_version: '1.1',
    type_definitions: [
      { type: 'user' },
      {
        type: 'group',
        relations: { member: { this: {} }, lead: { this: {} } },
        metadata: { relations: { member: ofMembers, lead: ofLeads } },
      },
    ],
  })
  const relationAt = (step: number): string => (step % 2 === 0 ? 'member' : 'lead')
  const writes = Array.from({ length: 25 }, (_, at) => ({
    object: `group:${at}`,
    relation: relationAt(at),
    user: `group:${at + 1}#${relationAt(at + 1)}`,
  }))
  const last = { object: 'group:25', relation: 'lead', user: 'user:a' }
  await api.write(id, { writes: { tuple_keys: [...writes, last] } })

  const near = { user: 'user:a', relation: 'lead', object: 'group:1' }
  const far = { user: 'user:a', relation: 'member', object: 'group:0' }
  expect((await api.check(id, { tuple_key: near })).allowed).toBe(true)
  await expect(api.check(id, { tuple_key: far })).rejects.toMatchObject({ code, message: alone })
  const { result } = await api.batchCheck(id, {
    checks: [
      { tuple_key: near, correlation_id: 'near' },
      { tuple_key: far, correlation_id: 'far' },
    ],
  })
  expect(result).toEqual({
    near: { allowed: true },
    far: { error: { input_error: code, message: batched } },
  })
  const listed = { object: { type: 'group', id: '0' }, relation: 'member', user_filters: [{ type: 'user' }] }
  await expect(api.listUsers(id, listed)).rejects.toMatchObject({ code, message: alone })
})
