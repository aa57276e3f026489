import { describe, expect, it } from 'vitest'
import type { TupleRules } from '../tuple/validity.ts'
import { checkWrite } from './check-write.ts'
import type { WriteRequest } from './tuple-store.ts'

const rules: TupleRules = {
  hasType: (type) => type === 'user' || type === 'doc',
  restrictionsOf: (type, relation) =>
    type === 'doc' && relation === 'viewer'
      ? [{ type: 'user' }, { type: 'doc', relation: 'viewer' }, { type: 'user', condition: 'cc' }]
      : undefined,
  isTupleset: () => false,
  hasCondition: (name) => name === 'cc',
  contextProblem: () => undefined,
}

function numberOf(request: WriteRequest): unknown {
  try {
    checkWrite(request, {
      rules,
      limits: { maxTuplesPerWrite: 3, maxConditionContextBytes: 10 },
      sizeOf: (context) => JSON.stringify(context).length,
    })
  } catch (error) {
    return error
  }
  return undefined
}

const tuple = (user: string, relation = 'viewer', object = 'doc:1') => ({ user, relation, object })

describe('a write request', () => {
  it.each<[string, WriteRequest, object | undefined]>([
    ['nothing', {}, { number: 2003 }],
    ['empty lists', { writes: [], deletes: [], removeWhere: [] }, { number: 2003 }],
    ['a filter alone', { removeWhere: [{ user: 'user:a' }] }, undefined],
    ['a filter of anything', { removeWhere: [{ user: 'user:a' }, {}] }, { number: 2003 }],
    ['a filter of what is undefined', { removeWhere: [{ object: undefined }] }, { number: 2003 }],
    ['a moment of expiry', { writes: [{ ...tuple('user:a'), expiresAt: 1_800_000_000_000 }] }, undefined],
    [
      'an expiry that is no moment',
      { writes: [{ ...tuple('user:a'), expiresAt: Number.NaN }] },
      {
        number: 2000,
        message:
          "Invalid tuple 'doc:1#viewer@user:a'. Reason: expiresAt must be a whole number of milliseconds, not NaN",
      },
    ],
    [
      'an expiry within a millisecond',
      { writes: [{ ...tuple('user:a'), expiresAt: 1.5 }] },
      { number: 2000 },
    ],
    ['an endless expiry', { writes: [{ ...tuple('user:a'), expiresAt: Infinity }] }, { number: 2000 }],
    ['a tuple that the model does not take', { writes: [tuple('doc:1')] }, { number: 2000 }],
    [
      'an implicit tuple',
      { writes: [tuple('doc:1#viewer')] },
      {
        number: 2000,
        message: "Invalid tuple 'doc:1#viewer@doc:1#viewer'. Reason: cannot write a tuple that is implicit",
      },
    ],
    [
      'too large a context',
      { writes: [{ ...tuple('user:a'), condition: { name: 'cc', context: { x: 'long' } } }] },
      {
        number: 2000,
        message:
          "Invalid tuple 'doc:1#viewer@user:a'. Reason: condition context size limit exceeded: 12 bytes exceeds 10 bytes",
      },
    ],
    [
      'a deletion of what no model takes',
      { deletes: [tuple('nobody:1', 'nothing', 'nowhere:1')] },
      undefined,
    ],
    ['a deletion with a malformed user', { deletes: [tuple('a:b:c')] }, { number: 2000 }],
    [
      'a tuple twice',
      { deletes: [tuple('user:a')], writes: [tuple('user:a')] },
      {
        number: 2004,
        message: "duplicate tuple in write: user: 'user:a', relation: 'viewer', object: 'doc:1'",
      },
    ],
    ['as many as may be', { writes: ['a', 'b', 'c'].map((id) => tuple(`user:${id}`)) }, undefined],
    [
      'too many',
      {
        writes: ['a', 'b'].map((id) => tuple(`user:${id}`)),
        deletes: ['c', 'd'].map((id) => tuple(`user:${id}`)),
      },
      { number: 2053, message: 'The number of write operations exceeds the allowed limit of 3' },
    ],
    [
      'too many, one of them twice',
      { deletes: ['a', 'a', 'b', 'c'].map((id) => tuple(`user:${id}`)) },
      { number: 2004 },
    ],
  ])('of %s', (_, request, error) => {
    if (error === undefined) expect(numberOf(request)).toBeUndefined()
    else expect(numberOf(request)).toMatchObject(error)
  })
})
