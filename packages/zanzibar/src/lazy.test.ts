import { expect, test } from 'vitest'
import { lazy } from './lazy.ts'

test('makes nothing before it is asked for, and what is undefined once too', () => {
  let made = 0
  const value = lazy(() => {
    made++
    return undefined
  })
  expect(made).toBe(0)
  expect([value(), value()]).toEqual([undefined, undefined])
  expect(made).toBe(1)
})
