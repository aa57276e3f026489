import { expect, test } from 'vitest'
import { resolveAll } from '../interpolation/resolve-all.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { reportUnguarded } from './report.ts'

// As hydra-core 1.3.8 writes them, but for the way of the cycle.
test.each([
  [false, 'Recursive interpolation detected: a → b → a\n    full_key: a\n    object_type=dict\n'],
  [true, 'Recursive interpolation detected: a → b → a\n'],
])('a cycle of interpolations, in a configuration that is resolved as a whole: %s', (resolving, told) => {
  let written = ''
  const err = (text: string): void => {
    written += text
  }
  try {
    resolveAll(parseYaml('a: ${b}\nb: ${a}\n'))
  } catch (error) {
    reportUnguarded(error, { err, environment: () => undefined, resolving })
  }
  expect(written).toBe(`InterpolationResolutionError: ${told}`)
})
