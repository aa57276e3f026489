import fc from 'fast-check'

/**
 * Holds a property in rounds of `numRuns` until `met`, ten at most. How often random cases come to what is rare varies: what
 * one round misses once in a thousand times, ten miss only where the generator has gone blind.
 */
export async function assertMeeting<Case>(
  property: fc.IAsyncProperty<Case>,
  { numRuns, met }: { readonly numRuns: number; readonly met: () => boolean },
): Promise<void> {
  for (let round = 0; round === 0 || (round < 10 && !met()); round++) await fc.assert(property, { numRuns })
}
