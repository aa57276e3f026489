import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ours, theirs } from './cockatiel-libraries.ts'
import { circuitProgram, runCircuitProgram, runWrapProgram, wrapProgram } from './cockatiel-programs.ts'

test('circuits: states, events and results are those of cockatiel 4', async () => {
  let opened = 0
  let closed = 0
  await fc.assert(
    fc.asyncProperty(circuitProgram, async (program) => {
      const expected = await runCircuitProgram(theirs, program)
      if (expected.includes('break true')) opened++
      if (expected.includes('reset')) closed++
      expect(await runCircuitProgram(ours, program)).toEqual(expected)
    }),
    { numRuns: 400 },
  )
  expect(opened).toBeGreaterThan(100)
  expect(closed).toBeGreaterThan(50)
})

test('wrapped policies: results, their times and the counts of events are those of cockatiel 4', async () => {
  await fc.assert(
    fc.asyncProperty(wrapProgram, async (program) => {
      expect(await runWrapProgram(ours, program)).toEqual(await runWrapProgram(theirs, program))
    }),
    { numRuns: 400 },
  )
})
