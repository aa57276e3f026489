import { assert, property } from 'fast-check'
import { expect, test } from 'vitest'
import { blockYaml } from '../../test/differential/block-yaml.ts'
import { isHydraConfigError } from '../errors.ts'
import { checkInterpolation } from '../interpolation/check.ts'
import type { Value } from '../value/value.ts'
import { readBlockYaml } from './block-reader.ts'
import { readWholeYaml } from './parse-yaml.ts'

const file = { source: 'memory://', config: 'x' }

function whole(text: string): Value | undefined {
  try {
    return readWholeYaml(text, file)
  } catch (error) {
    if (isHydraConfigError(error)) return undefined
    throw error
  }
}

test('what it reads, the reader of all YAML reads as well, each value at the same place', () => {
  assert(
    property(blockYaml, (text) => {
      const read = readBlockYaml(text, { file, check: checkInterpolation })
      if (read !== undefined) expect(read).toStrictEqual(whole(text))
    }),
    { numRuns: 3000 },
  )
})

test('it reads configurations as they are written, and does not leave them to the other reader', () => {
  const text = `# @package _global_
---
defaults:
- db: mysql  # the default
- override hydra/job_logging: none
- _self_

name: my app
"quoted key": 'it''s'
url: http://localhost:\${db.port}/\${name}
list:
  - a: 1
    b: [x, "y", {z: 1.5}]
  -
    - deep
empty:
negative: -5
double: "a\\nb\\u00e9"
`
  const read = readBlockYaml(text, { file, check: checkInterpolation })
  expect(read).toBeDefined()
  expect(read).toStrictEqual(whole(text))
})

test.each(['a\u00A0: 1', '- a\u3000: \u00A0b\u00A0', '\u00A0a  : [b\u2003, c ]'])(
  'blanks other than spaces are characters like any other: %j',
  (text) => {
    const read = readBlockYaml(text, { file, check: checkInterpolation })
    expect(read).toBeDefined()
    expect(read).toStrictEqual(whole(text))
  },
)

test.each([
  'a: &x 1',
  'a: |\n  b',
  'a: b\n  c',
  'a: [\n]',
  'a: 1\na: 2',
  'a:\t1',
  '? a\n: b',
  'a: ${',
  '[a]',
  'a',
])('%j is left to it', (text) => {
  expect(readBlockYaml(text, { file, check: checkInterpolation })).toBeUndefined()
})
