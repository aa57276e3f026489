import { Maglev } from '@loadbearing/maglev'
import { expect, test } from 'vitest'
import { Assignment } from './assignment.ts'
import { DeskError } from './errors.ts'

const CLAIMS = 5000

function assign(workers: number): { table: Maglev; assignment: Assignment } {
  const table = new Maglev(Array.from({ length: workers }, (_, place) => `worker-${place + 1}`))
  return { table, assignment: new Assignment(table, CLAIMS) }
}

function owners(assignment: Assignment): number[] {
  return Array.from({ length: CLAIMS }, (_, claim) => assignment.ownerOf(claim))
}

test('gives each claim to one worker, and each worker about its share', () => {
  const { assignment } = assign(10)
  const shares = assignment.byOwner()
  expect(shares.flatMap((claims) => [...claims]).toSorted((a, b) => a - b)).toEqual([...Array(CLAIMS).keys()])
  for (const [place, claims] of shares.entries()) {
    expect(claims.every((claim) => assignment.ownerOf(claim) === place)).toBe(true)
    // 500 expected; the binomial's standard deviation is 21.
    expect(Math.abs(claims.length - 500)).toBeLessThan(110)
  }
})

test('the owner is the one that the table looks up, whoever is lost', () => {
  const { table, assignment } = assign(7)
  const lookedUp = (): (string | undefined)[] =>
    Array.from({ length: CLAIMS }, (_, claim) => table.lookup(`claim:${claim}`))
  const owned = (): (string | undefined)[] => owners(assignment).map((place) => assignment.workers[place])
  expect(owned()).toEqual(lookedUp())
  for (const worker of ['worker-2', 'worker-7']) {
    table.setHealth(worker, 'unhealthy')
    assignment.refresh()
    expect(owned()).toEqual(lookedUp())
  }
})

test('the loss of a worker moves its claims and no others, and its return brings them back', () => {
  for (const place of [0, 3, 9]) {
    const { table, assignment } = assign(10)
    const worker = `worker-${place + 1}`
    const before = owners(assignment)
    table.setHealth(worker, 'unhealthy')
    const { slots, ...move } = assignment.refresh()
    const after = owners(assignment)
    const owned = before.filter((owner) => owner === place).length
    expect(move).toEqual({ lost: [worker], back: [], owned, moved: owned, collateral: 0, strayed: 0 })
    expect(slots.changed).toBe(slots.ideal)
    expect(after).not.toContain(place)
    expect(
      before.flatMap((owner, claim) => (owner === place || owner === after[claim] ? [] : [claim])),
    ).toEqual([])

    table.setHealth(worker, 'healthy')
    expect(assignment.refresh()).toEqual({
      lost: [],
      back: [worker],
      owned,
      moved: owned,
      collateral: 0,
      strayed: 0,
      slots,
    })
    expect(owners(assignment)).toEqual(before)
  }
})

test('further losses move what was moved before at most, and are counted as they are', () => {
  const { table, assignment } = assign(10)
  const first = owners(assignment)
  const lost: number[] = []
  for (const place of [3, 0, 9]) {
    lost.push(place)
    const before = owners(assignment)
    table.setHealth(`worker-${place + 1}`, 'unhealthy')
    const { collateral, strayed } = assignment.refresh()
    const after = owners(assignment)
    const others = [...first.keys()].filter(
      (claim) => before[claim] !== place && before[claim] !== after[claim],
    )
    expect(collateral).toBe(others.length)
    // Who owned a claim from the start and lives still owns it.
    expect(strayed).toBe(0)
    expect(others.filter((claim) => !lost.includes(first[claim] ?? -1))).toEqual([])
  }
})

test('counts claims that leave a worker that is there', () => {
  const table = new Maglev(['worker-1', 'worker-2', 'worker-3'], { mode: 'classic' })
  const assignment = new Assignment(table, CLAIMS)
  const before = owners(assignment)
  table.setHealth('worker-1', 'unhealthy')
  const { collateral, strayed } = assignment.refresh()
  const stray = before.filter((owner, claim) => owner !== 0 && owner !== assignment.ownerOf(claim)).length
  expect(stray).toBeGreaterThan(0)
  expect({ collateral, strayed }).toEqual({ collateral: stray, strayed: stray })
})

test('says so when nobody is left', () => {
  const { table, assignment } = assign(1)
  table.setHealth('worker-1', 'unhealthy')
  expect(() => assignment.refresh()).toThrow(DeskError)
})
