import { expect, test } from 'vitest'
import { Assignment } from './assignment.ts'
import { DeskError } from './errors.ts'

const CLAIMS = 5000

function owners(assignment: Assignment): number[] {
  return Array.from({ length: CLAIMS }, (_, claim) => assignment.ownerOf(claim))
}

test('gives each claim to one worker, and each worker about its share', () => {
  const assignment = new Assignment(10, CLAIMS)
  const shares = assignment.byOwner()
  expect(shares.flatMap((claims) => [...claims]).toSorted((a, b) => a - b)).toEqual([...Array(CLAIMS).keys()])
  for (const [place, claims] of shares.entries()) {
    expect(claims.every((claim) => assignment.ownerOf(claim) === place)).toBe(true)
    // 500 expected; the binomial's standard deviation is 21.
    expect(Math.abs(claims.length - 500)).toBeLessThan(110)
  }
})

test('the loss of a worker moves its claims and no others', () => {
  for (const place of [0, 3, 9]) {
    const assignment = new Assignment(10, CLAIMS)
    const before = owners(assignment)
    const { slots, ...move } = assignment.lose(assignment.workers[place] ?? '')
    const after = owners(assignment)
    const owned = before.filter((owner) => owner === place).length
    expect(move).toEqual({ worker: `worker-${place + 1}`, owned, moved: owned, collateral: 0 })
    expect(slots).toMatchObject({ changed: slots.ideal, collateral: 0 })
    expect(after).not.toContain(place)
    expect(
      before.flatMap((owner, claim) => (owner === place || owner === after[claim] ? [] : [claim])),
    ).toEqual([])
  }
})

test('further losses move what was moved before at most, and are counted as they are', () => {
  const assignment = new Assignment(10, CLAIMS)
  const first = owners(assignment)
  const lost: number[] = []
  for (const place of [3, 0, 9]) {
    lost.push(place)
    const before = owners(assignment)
    const { collateral } = assignment.lose(assignment.workers[place] ?? '')
    const after = owners(assignment)
    const others = [...first.keys()].filter(
      (claim) => before[claim] !== place && before[claim] !== after[claim],
    )
    expect(collateral).toBe(others.length)
    // Who owned a claim from the start and lives still owns it.
    expect(others.filter((claim) => !lost.includes(first[claim] ?? -1))).toEqual([])
  }
})

test('says so when nobody is left', () => {
  const assignment = new Assignment(2, CLAIMS)
  assignment.lose('worker-1')
  expect(() => assignment.lose('worker-2')).toThrow(DeskError)
})
