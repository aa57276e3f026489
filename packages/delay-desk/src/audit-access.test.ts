import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { auditAccess } from './audit-access.ts'
import type { Decision } from './decisions.ts'

const rules = {
  opens: '06:00',
  closes: '10:00',
  agents: [{ name: 'early', begins: '06:00', ends: '08:00', limit: 30 }],
  supervisors: [{ name: 'sue', begins: '06:00', ends: '10:00' }],
  clerks: [
    { name: 'sue', begins: '06:00', ends: '10:00' },
    { name: 'nina', begins: '06:00', ends: '09:00' },
  ],
  auditors: ['ada'],
}
/** At 06:00, 07:00, 08:00 and 09:00. */
const claims = {
  owed: Uint16Array.of(15, 250, 0, 15),
  origins: Uint16Array.of(0, 0, 0, 1),
  codes: ['ORD', 'JFK'],
}

const right: readonly Decision[] = [
  { claim: 0, person: 'person:ORD-early', action: 'see', allowed: true },
  { claim: 0, person: 'person:ORD-early', action: 'approve', allowed: true },
  { claim: 0, person: 'person:sue', action: 'pay', allowed: true },
  { claim: 1, person: 'person:ada', action: 'see', allowed: true },
  { claim: 1, person: 'person:ORD-early', action: 'see', allowed: true },
  { claim: 1, person: 'person:ORD-early', action: 'approve', allowed: false },
  { claim: 1, person: 'person:sue', action: 'approve', allowed: true },
  { claim: 1, person: 'person:sue', action: 'pay', allowed: false },
  { claim: 1, person: 'person:nina', action: 'pay', allowed: true },
  { claim: 2, person: 'person:ORD-early', action: 'see', allowed: false },
  { claim: 2, person: 'person:nina', action: 'see', allowed: true },
  { claim: 3, person: 'person:JFK-early', action: 'see', allowed: false },
  { claim: 3, person: 'person:sue', action: 'see', allowed: true },
  { claim: 3, person: 'person:ada', action: 'approve', allowed: false },
  { claim: 3, person: 'person:ORD-early', action: 'approve', allowed: false },
  { claim: 3, person: 'person:sue', action: 'approve', allowed: true },
]

test('shares nothing with the desk', () => {
  const source = readFileSync(new URL('audit-access.ts', import.meta.url), 'utf8')
  expect(source).not.toMatch(/\bimport\b.*['"(]|zanzibar/)
})

test('agrees with what is right, and finds what was left undone', () => {
  expect(auditAccess(right, claims, rules)).toEqual({
    wrong: 1,
    first: ['claim 3: 0 were let pay it, and 15 is owed'],
  })
})

test.each(right.map((decision, at) => [at, decision] as const))(
  'answer %d the other way round is found out: %o',
  (at, { claim, allowed, ...rest }) => {
    const { wrong, first } = auditAccess(right.with(at, { claim, ...rest, allowed: !allowed }), claims, rules)
    expect(wrong).toBeGreaterThan(1)
    expect(first[0]).toContain(`claim ${claim}: `)
  },
)

test.each<[name: string, more: readonly Decision[], text: string]>([
  [
    'paid by who has approved it',
    [{ claim: 3, person: 'person:sue', action: 'pay', allowed: true }],
    'claim 3: person:sue was let pay it',
  ],
  [
    'paid by who has gone home',
    [{ claim: 3, person: 'person:nina', action: 'pay', allowed: true }],
    'claim 3: person:nina was let pay it',
  ],
  [
    'approved twice',
    [{ claim: 0, person: 'person:sue', action: 'approve', allowed: true }],
    'claim 0: 2 were let approve it, and 15 is owed',
  ],
  [
    'nothing is owed, and it is approved',
    [{ claim: 2, person: 'person:sue', action: 'approve', allowed: true }],
    'claim 2: 1 were let approve it, and 0 is owed',
  ],
  [
    'seen by an agent of another airport',
    [{ claim: 1, person: 'person:JFK-early', action: 'see', allowed: true }],
    'claim 1: person:JFK-early was let see it',
  ],
  [
    'somebody whom nobody knows',
    [{ claim: 1, person: 'person 17', action: 'see', allowed: true }],
    'claim 1: person 17 was let see it',
  ],
])('%s', (_, more, text) => {
  expect(auditAccess([...right, ...more], claims, rules).first).toContain(text)
})

test('a claim that nobody has seen', () => {
  const { first } = auditAccess(
    right.filter(({ claim }) => claim !== 2),
    claims,
    rules,
  )
  expect(first).toContain('claim 2: nobody has seen it')
})
