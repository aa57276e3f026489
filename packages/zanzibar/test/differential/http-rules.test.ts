import { expect, test } from 'vitest'
import { zanzibarServer } from '../../src/adapters/server.ts'
import { memoryStore } from '../../src/index.ts'
import { answersOf, explained } from './http.ts'
import type { HttpRequest } from './http-requests.ts'
import { httpRules, looseDeletes } from './http-rules.ts'

const write = (body: object): HttpRequest => ({ method: 'POST', path: '/stores/$S/write', body })
const deleteOf = (object: string): HttpRequest =>
  write({ deletes: { tuple_keys: [{ user: 'user:anne', relation: 'owner', object }] } })
const isOwner: HttpRequest = {
  method: 'POST',
  path: '/stores/$S/check',
  body: { tuple_key: { user: 'user:anne', relation: 'owner', object: 'document:1' } },
}
const isBob: HttpRequest = {
  method: 'POST',
  path: '/stores/$S/check',
  body: { tuple_key: { user: 'user:bob', relation: 'member', object: 'group:eng' } },
}
const listed: HttpRequest = {
  method: 'POST',
  path: '/stores/$S/list-objects',
  body: { user: 'user:dan', relation: 'both', type: 'document' },
}

/** What each answer of OpenFGA that is not ours is known as: the first words of the reason, or `unknown`. */
async function knownAs(
  given: readonly HttpRequest[],
  answers: readonly string[],
): Promise<readonly string[]> {
  await using store = memoryStore()
  await using server = zanzibarServer({ store })
  const url = await server.listen({ port: 0 })
  const mine = await answersOf(url, given)
  const theirs = await explained(url, given, answers)
  return theirs.flatMap((other, at) => {
    const own = mine[at] ?? ''
    if (own === other.answer) return []
    const rule = httpRules.find((each) => each.explains(given, at, own, other))
    return [rule?.reason.split(' ').slice(0, 3).join(' ') ?? 'unknown']
  })
}

const done = '{"status":200,"body":{}}'
const allowed = '{"status":200,"body":{"allowed":true,"resolution":""}}'
const denied = '{"status":200,"body":{"allowed":false,"resolution":""}}'

// Answers of OpenFGA v1.22.1 with its store in memory.
test.each(['', 'document:'])(
  'a delete of the object %j that deleted what it matches is known',
  async (object) => {
    expect(await knownAs([deleteOf(object), isOwner, isBob], [done, denied, allowed])).toEqual([
      'a delete whose',
      'a delete whose',
    ])
  },
)

test('what such a delete does not explain is not known', async () => {
  expect(await knownAs([deleteOf('document:'), isOwner, isBob], [done, denied, denied])).toEqual([
    'a delete whose',
    'a delete whose',
    'unknown',
  ])
  expect(await knownAs([isOwner, deleteOf('document:')], [denied, done])).toEqual([
    'unknown',
    'a delete whose',
  ])
  expect(await knownAs([deleteOf('document:2'), isOwner], [done, denied])).toEqual(['unknown', 'unknown'])
  expect(await knownAs([deleteOf('folder:'), isOwner], [done, denied])).toEqual(['unknown', 'unknown'])
})

test('only deletes whose object has no id, or whose relation is empty, are loose', () => {
  const ofKey = (key: object): number => looseDeletes(write({ deletes: { tuple_keys: [key] } })).length
  const key = { user: 'user:anne', relation: 'owner', object: 'document:' }
  expect(ofKey(key)).toBe(1)
  expect(ofKey({ ...key, object: '' })).toBe(1)
  expect(ofKey({ ...key, relation: '' })).toBe(1)
  expect(ofKey({ ...key, relation: '', object: 'document:1' })).toBe(1)
  const others = [
    { object: 'document' },
    { object: 'document:1' },
    { object: ':' },
    { user: '' },
    { user: 'user:' },
    { relation: '', object: 'document' },
  ]
  for (const other of others) expect(ofKey({ ...key, ...other })).toBe(0)
  expect(looseDeletes(write({ writes: { tuple_keys: [key] } }))).toEqual([])
  expect(looseDeletes({ ...deleteOf('document:'), path: '/stores/$S/read' })).toEqual([])
})

test('a list by an intersection is known where one operand is empty, and the other one is what OpenFGA answers', async () => {
  await using store = memoryStore()
  await using server = zanzibarServer({ store })
  const url = await server.listen({ port: 0 })
  const byViewer = { ...listed, body: { ...Object(listed.body), relation: 'viewer' } }
  const [failure = ''] = await answersOf(url, [byViewer])
  expect(failure).toContain('failed to evaluate relationship condition')
  expect(await knownAs([listed], [failure])).toEqual(['a list of'])
  expect(await knownAs([listed], ['{"status":200,"body":{"objects":["document:1"]}}'])).toEqual(['unknown'])
  expect(await knownAs([listed], [failure.replace('relationship', '')])).toEqual(['unknown'])
  const ofAnne = { ...listed, body: { ...Object(listed.body), user: 'user:anne' } }
  expect(await knownAs([ofAnne], [failure])).toEqual(['unknown'])
})
