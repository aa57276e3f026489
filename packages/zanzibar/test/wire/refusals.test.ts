import { expect, test } from 'vitest'
import { hostileRequests } from './hostile-bodies.ts'
import { recordedEvery, recordedRefusals } from './recorded-refusals.ts'
import { ourRefusal } from './refusals.ts'

test('refuses what OpenFGA refuses, with its code and its words', () => {
  const requests = [...hostileRequests()].filter((_, index) => index % recordedEvery === 0)
  const recorded = recordedRefusals()
  expect(recorded.length).toBe(requests.length)
  expect(recorded.filter((refusal) => refusal !== undefined).length).toBeGreaterThan(650)
  const differing = requests.flatMap((request, index) => {
    const ours = ourRefusal(request)
    const theirs = recorded[index]
    return ours?.code === theirs?.code && ours?.message === theirs?.message ? [] : [{ request, ours, theirs }]
  })
  expect(differing).toEqual([])
})
