import { expect, test } from 'vitest'
import { compileCondition } from '../../src/condition/condition.ts'
import { isZanzibarError, memoryStore, openFgaApi, parseModel } from '../../src/index.ts'

// The vectors of OpenFGA's `internal/condition/condition_test.go`, TestEvaluateWithMaxCost.
test.each([
  ['x < y', { x: 'INT', y: 'INT' }, { x: 1, y: 2 }, 3],
  ["'d' in strlist", { strlist: 'LIST' }, { strlist: ['a', 'b', 'c'] }, 4],
])('%s costs what it costs in cel-go, and no less is enough', (expression, types, context, cost) => {
  const parameters = Object.fromEntries(
    Object.entries(types).map(([name, type]) => [
      name,
      type === 'LIST'
        ? {
            type_name: 'TYPE_NAME_LIST' as const,
            generic_types: [{ type_name: 'TYPE_NAME_STRING' as const }],
          }
        : { type_name: 'TYPE_NAME_INT' as const },
    ]),
  )
  const condition = compileCondition({ name: 'condition', expression, parameters })
  expect(condition.evaluate([context], { maxCost: cost })).toMatchObject({ cost, missing: [] })
  expect(() => condition.evaluate([context], { maxCost: cost - 1 })).toThrow(
    expect.objectContaining({ number: 2000 }),
  )
})

async function asked() {
  const store = memoryStore()
  const api = openFgaApi({ store })
  const { id } = await store.createStore('conditions')
  const model = parseModel(`model
  schema 1.1
type user
type doc
  relations
    define viewer: [user with either]
condition either(x: bool, y: bool) {
  x || y
}`)
  await api.writeAuthorizationModel(id, model)
  const check = async (user: string, context?: object): Promise<boolean | number> => {
    try {
      const tuple = { user, relation: 'viewer', object: 'doc:1' }
      return (await api.check(id, { tuple_key: tuple, context })).allowed
    } catch (error) {
      if (isZanzibarError(error)) return error.number
      throw error
    }
  }
  const grant = (user: string, context?: object): Promise<object> =>
    api.write(id, {
      writes: {
        tuple_keys: [{ user, relation: 'viewer', object: 'doc:1', condition: { name: 'either', context } }],
      },
    })
  return { api, id, check, grant }
}

test('a parameter that is missing is an error, also where the answer does not depend on it', async () => {
  const { check, grant } = await asked()
  await grant('user:a')
  expect(await check('user:a', { x: true })).toBe(2000)
  expect(await check('user:a', { x: true, y: false })).toBe(true)
  expect(await check('user:a')).toBe(2000)
})

test('what a tuple gives its condition beats what the question gives', async () => {
  const { check, grant } = await asked()
  await grant('user:a', { x: false, y: false })
  expect(await check('user:a', { x: true, y: true })).toBe(false)
  await grant('user:b', { x: true })
  expect(await check('user:b', { x: false, y: false })).toBe(true)
})

// CVE-2026-34972: what differs in its context or its contextual tuples only is another question.
test('the items of a batch are answered apart, however alike they are', async () => {
  const { api, id } = await asked()
  const tuple = { user: 'user:a', relation: 'viewer', object: 'doc:1' }
  const given = (context: object): object => ({
    tuple_keys: [{ ...tuple, condition: { name: 'either', context } }],
  })
  const neither = { x: false, y: false }
  const items: Readonly<Record<string, readonly [item: object, allowed: boolean]>> = {
    none: [{}, false],
    held: [{ contextual_tuples: given({}), context: { x: true, y: false } }, true],
    unmet: [{ contextual_tuples: given({}), context: neither }, false],
    own: [{ contextual_tuples: given({ x: true, y: true }), context: neither }, true],
    again: [{ contextual_tuples: given({}), context: { x: true, y: false } }, true],
  }
  const checks = Object.entries(items).map(([name, [item]]) => ({
    tuple_key: tuple,
    correlation_id: name,
    ...item,
  }))
  const { result } = await api.batchCheck(id, { checks })
  expect(result).toEqual(
    Object.fromEntries(Object.entries(items).map(([name, [, allowed]]) => [name, { allowed }])),
  )
})
