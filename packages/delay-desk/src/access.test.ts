import { expect, test } from 'vitest'
import { configure } from '../test/configure.ts'
import { Access } from './access.ts'
import { readAirports } from './airports.ts'
import { audit } from './audit.ts'
import { auditAccess } from './audit-access.ts'
import { type Decision, decided, tallyOf } from './decisions.ts'
import { explainedDenial } from './explained-denial.ts'
import { readFlights } from './flights.ts'
import { rosterOf } from './roster.ts'

/** 960 claims of one airport on a day of 16 hours: one a minute from 06:00, so that claim 480 is dealt with at 14:00. */
const origins = new Uint16Array(960)

interface Opened extends AsyncDisposable {
  readonly access: Access
  /** What was asked, and what was answered. */
  taken(): [person: string, action: string, allowed: boolean][]
}

async function open(overrides: readonly string[] = []): Promise<Opened> {
  const { access: rules } = await configure(overrides)
  const roster = rosterOf(rules, ['ORD', 'JFK'], origins)
  const access = await Access.open(roster)
  return {
    access,
    taken: () =>
      [...decided([access.takeDecisions()], roster.people)].map(({ person, action, allowed }) => [
        person.replace('person:', ''),
        action,
        allowed,
      ]),
    [Symbol.asyncDispose]: () => access[Symbol.asyncDispose](),
  }
}

test.each<[when: string, claim: number, amount: number, asked: [string, string, boolean][]]>([
  [
    'an agent sees and approves a voucher, and a clerk pays it',
    1,
    30,
    [
      ['ORD-early', 'see', true],
      ['ORD-early', 'approve', true],
      ['nina', 'pay', true],
    ],
  ],
  [
    'a limit: what is above it goes to the supervisor',
    1,
    250,
    [
      ['ORD-early', 'see', true],
      ['ORD-early', 'approve', false],
      ['sue', 'approve', true],
      ['nina', 'pay', true],
    ],
  ],
  [
    'the last minute of a shift',
    479,
    15,
    [
      ['ORD-early', 'see', true],
      ['ORD-early', 'approve', true],
      // The second of three clerks in turn begins at 14:00.
      ['otto', 'pay', false],
      ['tom', 'pay', true],
    ],
  ],
  [
    'after the last agent has gone the supervisor does it, and may not pay it as well',
    930,
    15,
    [
      ['ORD-late', 'see', false],
      ['ORD-early', 'see', false],
      ['tom', 'see', true],
      ['tom', 'approve', true],
      ['tom', 'pay', false],
      ['nina', 'pay', false],
      ['otto', 'pay', true],
    ],
  ],
  [
    'an auditor looks into each hundredth',
    300,
    15,
    [
      ['ORD-early', 'see', true],
      ['ada', 'see', true],
      ['ORD-early', 'approve', true],
      ['nina', 'pay', true],
    ],
  ],
])('%s', async (_, claim, amount, asked) => {
  await using desk = await open()
  const { access } = desk
  await access.see(Uint32Array.of(claim), Uint16Array.of(0))
  await access.approve([{ claim, amount }])
  expect(desk.taken()).toEqual(asked)
})

test('a claim that comes again is asked again, with the same answers', async () => {
  await using desk = await open()
  const { access } = desk
  const once = async (): Promise<unknown> => {
    await access.see(Uint32Array.of(930), Uint16Array.of(0))
    await access.approve([{ claim: 930, amount: 15 }])
    return desk.taken()
  }
  const first = await once()
  expect(await once()).toEqual(first)
})

test('where nobody may, the worker cannot go on, and says who was asked for what', async () => {
  await using desk = await open([
    "access.supervisors=[{name:sue,begins:'06:00',ends:'07:00'}]",
    "access.agents=[{name:early,begins:'06:00',ends:'07:00',limit:30}]",
  ])
  await expect(desk.access.see(Uint32Array.of(60), Uint16Array.of(0))).rejects.toThrow(
    'nobody may see claim 60 at 2001-04-01T07:00:00.000Z: all 2 were denied',
  )
})

test('a denial is explained by the tuples that stand in its way, or that it would take', async () => {
  const { access: rules } = await configure([])
  const roster = rosterOf(rules, ['ORD', 'JFK'], origins)
  const why = (decision: Decision, ...before: readonly Decision[]): Promise<string | undefined> =>
    explainedDenial([...before, decision], roster, { originOf: () => 0, amountOf: () => 250 })
  expect(
    await why(
      { claim: 930, person: 'person:tom', action: 'pay', allowed: false },
      { claim: 930, person: 'person:tom', action: 'approve', allowed: true },
      { claim: 931, person: 'person:ORD-late', action: 'see', allowed: false },
    ),
  ).toBe('person:tom may not pay claim:930 at 21:30: blocked by claim:930#approved_by@person:tom')
  expect(await why({ claim: 1, person: 'person:ORD-early', action: 'approve', allowed: false })).toBe(
    'person:ORD-early may not approve claim:1 at 06:01: what does not hold is on_shift_up_to of airport:ORD#approver@person:ORD-early',
  )
  expect(await why({ claim: 1, person: 'person:ORD-early', action: 'see', allowed: true })).toBeUndefined()
})

test.each(['full', 'short'])(
  '20,000 claims by %s: the audit finds no answer that it would not give',
  async (name) => {
    const { flights: file, airports: csv, policy, access: rules } = await configure([`access=${name}`])
    const airports = await readAirports(csv)
    const flights = await readFlights(file, airports)
    const counted = await audit(file.path, csv, policy.rules)
    const roster = rosterOf(rules, airports.indexes.keys(), flights.origins)
    await using access = await Access.open(roster)
    const parts = []
    for (let from = 0; from < flights.count; from += 250) {
      const claims = Uint32Array.from({ length: 250 }, (_, n) => from + n)
      await access.see(claims, flights.origins.subarray(from, from + 250))
      const awards = [...claims].map((claim) => ({ claim, amount: counted.owed[claim] ?? 0 }))
      await access.approve(awards.filter(({ amount }) => amount > 0))
      parts.push(access.takeDecisions())
    }
    expect(auditAccess(decided(parts, roster.people), counted, rules)).toEqual({ wrong: 0, first: [] })
    const { asked, denied, deniedTo } = tallyOf(parts)
    expect({ asked, denied, deniedTo }).toEqual(expected[name])
  },
  // A second, and many where the machine has other work.
  60_000,
)

/** The same numbers come from forty lines of Python over the same files (json, csv; lists of people, hours of a day, no graph). */
const expected: Readonly<Record<string, unknown>> = {
  full: { asked: 25_396, denied: 2_980, deniedTo: { see: 2_500, approve: 89, pay: 391 } },
  short: { asked: 38_269, denied: 15_853, deniedTo: { see: 15_000, approve: 128, pay: 725 } },
}
