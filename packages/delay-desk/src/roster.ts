import type { TupleToWrite } from '@loadbearing/zanzibar'
import type { Configuration } from './configuration.ts'

/** The people of the desk's day, and what they may. */
export interface Roster {
  /** As zanzibar knows them. Everywhere else they are their places here. */
  readonly people: readonly string[]
  readonly tuples: readonly TupleToWrite[]
  /** By the airport's place. */
  readonly airports: ReadonlyMap<number, { readonly object: string; readonly agents: readonly number[] }>
  readonly supervisors: readonly number[]
  readonly clerks: readonly number[]
  readonly auditors: readonly number[]
  readonly day: Day
}

/** A day on which so many claims come in, evenly. */
export interface Day {
  /** Milliseconds since 1970. */
  readonly opens: number
  readonly seconds: number
  readonly claims: number
}

type Access = Configuration['access']

const carrier = 'carrier:desk'

/**
 * Writes down who works for the carrier, and at each airport where a flight begins.
 *
 * @param codes of all airports, by their places
 * @param origins of all claims
 */
export function rosterOf(access: Access, codes: Iterable<string>, origins: Uint16Array): Roster {
  const people = new Map<string, number>()
  const placeOf = (person: string): number => {
    const place = people.get(person) ?? people.size
    people.set(person, place)
    return place
  }
  const at = (time: string): string => new Date(`${access.date}T${time}:00Z`).toISOString()
  const shift = ({ begins, ends }: Access['clerks'][number]): { begins: string; ends: string } => ({
    begins: at(begins),
    ends: at(ends),
  })
  const tuples: TupleToWrite[] = []
  const hire = (relation: string, staff: Access['clerks']): number[] =>
    staff.map((each) => {
      const user = `person:${each.name}`
      tuples.push({ user, relation, object: carrier, condition: { name: 'on_shift', context: shift(each) } })
      return placeOf(user)
    })
  const supervisors = hire('supervisor', access.supervisors)
  const clerks = hire('clerk', access.clerks)
  const auditors = access.auditors.map((name) => {
    tuples.push({ user: `person:${name}`, relation: 'auditor', object: carrier })
    return placeOf(`person:${name}`)
  })
  const used = new Set(origins)
  const airports = new Map<number, { object: string; agents: number[] }>()
  for (const [place, code] of [...codes].entries()) {
    if (!used.has(place)) continue
    const id = encodeURIComponent(code)
    const object = `airport:${id}`
    tuples.push({ user: carrier, relation: 'carrier', object })
    const agents = access.agents.map((each) => {
      const user = `person:${id}-${each.name}`
      const context = shift(each)
      const limited = { ...context, limit: each.limit }
      tuples.push(
        { user, relation: 'agent', object, condition: { name: 'on_shift', context } },
        { user, relation: 'approver', object, condition: { name: 'on_shift_up_to', context: limited } },
      )
      return placeOf(user)
    })
    airports.set(place, { object, agents })
  }
  const opens = Date.parse(at(access.opens))
  const day = { opens, seconds: (Date.parse(at(access.closes)) - opens) / 1000, claims: origins.length }
  return { people: [...people.keys()], tuples, airports, supervisors, clerks, auditors, day }
}

/** When a claim is dealt with, as RFC 3339 has it. */
export function momentOf({ opens, seconds, claims }: Day, claim: number): string {
  return new Date(opens + Math.floor((claim * seconds) / claims) * 1000).toISOString()
}

/** The staff in the order in which they are asked: as if they worked one after the other for equal parts of the day. */
export function inTurn(staff: readonly number[], { claims }: Day, claim: number): number[] {
  const first = Math.floor((claim * staff.length) / claims)
  return [...staff.slice(first), ...staff.slice(0, first)]
}
