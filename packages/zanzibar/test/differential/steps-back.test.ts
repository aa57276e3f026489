import { expect, test } from 'vitest'
import { compileCondition, parseModel } from '../../src/index.ts'
import { typeSystem } from '../../src/model/type-system.ts'
import { mayLeadTooFar } from './steps-back.ts'

const model = parseModel(`model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
`)

function mayLead(links: readonly (readonly [from: number, to: number])[], user: string): boolean {
  const tuples = links.map(([from, to]) => ({
    object: `group:${to}`,
    relation: 'member',
    user: `group:${from}#member`,
  }))
  const asked = { kind: 'objects', user, relation: 'member', type: 'group' } as const
  const given = { model, tuples, contextualTuples: [], context: {}, questions: [asked] }
  return mayLeadTooFar(given, asked, typeSystem(model, compileCondition).relations)
}

const line = (length: number): [number, number][] => Array.from({ length }, (_, at) => [at, at + 1])

test('only where a longer way leads too far, and the shortest does not, may OpenFGA refuse or not', () => {
  const shortcut = [...line(26), [0, 10] as const]
  expect(mayLead(shortcut, 'group:0#member')).toBe(true)
  // Ours refuses that as well, by the shortest way.
  expect(mayLead(line(26), 'group:0#member')).toBe(false)
  expect(mayLead(line(20), 'group:0#member')).toBe(false)
  expect(mayLead(shortcut, 'user:a')).toBe(false)
})
