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

test('the loss of workers, one after the other, moves their claims and no others', () => {
  const assignment = new Assignment(10, CLAIMS)
  for (const place of [3, 0, 9]) {
    const before = owners(assignment)
    const move = assignment.lose(assignment.workers[place] ?? '')
    const after = owners(assignment)
    expect(after).not.toContain(place)
    const owned = before.filter((owner) => owner === place).length
    expect(move).toMatchObject({ worker: `worker-${place + 1}`, owned, moved: owned, collateral: 0 })
    expect(
      before.flatMap((owner, claim) => (owner === place || owner === after[claim] ? [] : [claim])),
    ).toEqual([])
    expect(move.slots.changed).toBe(move.slots.ideal)
    expect(move.slots.collateral).toBe(0)
  }
})

test('says so when nobody is left', () => {
  const assignment = new Assignment(2, CLAIMS)
  assignment.lose('worker-1')
  expect(() => assignment.lose('worker-2')).toThrow(DeskError)
})
