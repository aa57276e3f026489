import { expect, test } from 'vitest'
import { KeptLists } from './kept-lists.ts'

test('keeps the last 64 lists by their keys', () => {
  const lists = new KeptLists()
  const made = Array.from({ length: 70 }, (_, at) => [`doc:${at}`])
  for (const [at, list] of made.entries()) lists.keep(String(at), list)
  lists.keep('6', made[6] ?? [])
  const kept = made.map((list, at) => lists.get(String(at)) === list)
  expect(kept).toEqual(made.map((_, at) => at >= 6))
  lists.keep('new', [])
  expect(lists.get('6')).toBe(made[6])
  expect(lists.get('7')).toBeUndefined()
})
