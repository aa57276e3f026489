import { expect, test } from 'vitest'
import type { Member, Sliced } from '../mode/mode.ts'
import { fill, fillByPosition } from './fill.ts'
import { freeOwners } from './owners.ts'
import { roundRobin } from './turns.ts'

function member(id: string, offset: number, skip: number): Member {
  return { id, weight: 1, zone: undefined, hash: undefined, rank: 0n, walk: Uint32Array.of(offset, skip) }
}

function finish<Result>(build: Sliced<Result>): Result {
  for (;;) {
    const step = build.next()
    if (step.done === true) return step.value
  }
}

// Table 1 of the paper, from its offsets and skips.
const [b1, b2, b3] = [member('B1', 3, 4), member('B2', 0, 2), member('B3', 3, 1)] as const

test('the example of the paper', () => {
  const owners = freeOwners(7, 3)
  finish(fill(owners, 7, [b1, b2, b3], roundRobin(Uint32Array.of(0, 1, 2))))
  expect([...owners]).toEqual([1, 0, 1, 0, 2, 2, 0])
})

test('the example of the paper without B2', () => {
  const owners = freeOwners(7, 2)
  finish(fill(owners, 7, [b1, b3], roundRobin(Uint32Array.of(0, 1))))
  expect([...owners]).toEqual([0, 0, 0, 0, 1, 1, 1])
})

test('a build in slices is the build in one go, by either way of stepping through a list', () => {
  const members = Array.from({ length: 50 }, (_, i) =>
    member(`b${i}`, (i * 7919) % 65_537, ((i * 104_729) % 65_536) + 1),
  )
  const turns = () => roundRobin(Uint32Array.from(members.keys()))
  const first = freeOwners(65_537, 50)
  const build = fill(first, 65_537, members, turns())
  let slices = 0
  while (build.next().done !== true) slices++
  expect(slices).toBeGreaterThan(5)
  const second = freeOwners(65_537, 50)
  finish(
    fillByPosition(second, 65_537, members, turns(), {
      position: ({ walk }, j) => ((walk[0] ?? 0) + j * (walk[1] ?? 0)) % 65_537,
      period: () => 65_537,
    }),
  )
  expect(Buffer.compare(Buffer.from(first.buffer), Buffer.from(second.buffer))).toBe(0)
})

test('a list that never reaches a free slot is an error, not an endless search', () => {
  const lists = { position: () => 0, period: () => 1 }
  expect(() =>
    finish(fillByPosition(freeOwners(2, 1), 2, [b1], roundRobin(Uint32Array.of(0)), lists)),
  ).toThrow(expect.objectContaining({ code: 'UNFILLABLE_TABLE' }))
})
