import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fuzz } from './fuzz.ts'

// Ten minutes of it are the command's.
it('answers whatever it is given, or refuses it with a typed error', async () => {
  const { seed = Math.trunc(Math.random() * 2 ** 31) } = fc.readConfigureGlobal()
  const fuzzed = await fuzz(seed, (round) => round < 100)
  for (const { name, inputs, refused, failures } of fuzzed) {
    expect({ name, failures }).toEqual({ name, failures: [] })
    expect(inputs).toBe(100)
    expect(refused).toBeGreaterThan(0)
  }
})
