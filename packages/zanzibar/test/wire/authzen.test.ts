import { expect, test } from 'vitest'
import { zanzibarServer } from '../../src/adapters/server.ts'
import { parseModel } from '../../src/dsl/parse-model.ts'
import { memoryStore } from '../../src/store/memory-store.ts'

const model = parseModel(`model
  schema 1.1
type user
type document
  relations
    define owner: [user]
    define viewer: [user:*] or owner
    define adult: [user with of_age]
condition of_age(subject_age: int) {
  subject_age >= 18
}
`)

// What OpenFGA v1.22.1 answers with --experimentals authzen.
test('answers as the Authorization API of AuthZEN', async () => {
  await using store = memoryStore()
  await using server = zanzibarServer({ store, limits: { requestTimeout: 600_000 } })
  const url = await server.listen({ port: 0 })
  const { id } = await store.createStore('authzen')
  const post = async (path: string, body: object): Promise<unknown> =>
    (await fetch(`${url}/stores/${id}${path}`, { method: 'POST', body: JSON.stringify(body) })).json()
  await post('/authorization-models', model)
  const tuples = [
    { user: 'user:anne', relation: 'owner', object: 'document:1' },
    { user: 'user:*', relation: 'viewer', object: 'document:2' },
    { user: 'user:anne', relation: 'adult', object: 'document:1', condition: { name: 'of_age' } },
  ]
  await post('/write', { writes: { tuple_keys: tuples } })
  const subject = { type: 'user', id: 'anne' }
  const resource = { type: 'document', id: '1' }
  const action = { name: 'viewer' }
  const access = (path: string, body: object): Promise<unknown> => post(`/access/v1/${path}`, body)

  expect(await access('evaluation', { subject, resource, action })).toEqual({ decision: true })
  const grown = { ...subject, properties: { age: 20 } }
  expect(await access('evaluation', { subject: grown, resource, action: { name: 'adult' } })).toEqual({
    decision: true,
  })
  expect(await access('evaluation', { subject, resource })).toEqual({
    code: 'validation_error',
    message: 'invalid EvaluationRequest.Action: value is required',
  })
  const evaluations = [{}, { subject: { type: 'user', id: 'bob' } }, { action: { name: 'owner' } }]
  const all = { subject, resource, action, evaluations }
  expect(await access('evaluations', all)).toEqual({
    evaluations: [{ decision: true }, { decision: false }, { decision: true }],
  })
  const firstDeny = { ...all, options: { evaluations_semantic: 'deny_on_first_deny' } }
  expect(await access('evaluations', firstDeny)).toEqual({
    evaluations: [{ decision: true }, { decision: false }],
  })
  expect(await access('search/subject', { subject: { type: 'user' }, resource, action })).toEqual({
    results: [{ type: 'user', id: 'anne' }],
  })
  expect(await access('search/resource', { subject, resource: { type: 'document' }, action })).toEqual({
    results: expect.arrayContaining([resource, { type: 'document', id: '2' }]),
  })
  expect(await access('search/action', { subject, resource })).toEqual({
    results: [{ name: 'owner' }, { name: 'viewer' }],
  })
  expect(await access('search/action', { subject, resource: { type: 'nope', id: '1' } })).toEqual({
    code: 'validation_error',
    message: "failed to get relations for type nope: 'nope' is an undefined object type",
  })
  const configuration = await (await fetch(`${url}/.well-known/authzen-configuration/${id}`)).json()
  expect(configuration).toMatchObject({
    access_evaluation_endpoint: `${url}/stores/${id}/access/v1/evaluation`,
  })
})
