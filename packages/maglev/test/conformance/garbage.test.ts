import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'

/** The port answers every line, whatever it is, and ends with 0. */

const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    1.5,
    8,
    Infinity,
    2 ** 53,
    '',
    'NaN',
    '__proto__',
    '\ud800',
    [],
    {},
    [[]],
    { hex: 'zz' },
    { uint64: '-1' },
  ),
  fc.jsonValue({ maxDepth: 3 }),
)
/** Absent in most commands, so that some of them are right. */
const rare = fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: hostile })
const backend = fc.oneof(
  { weight: 3, arbitrary: fc.record({ id: fc.string({ maxLength: 5 }) }) },
  {
    weight: 1,
    arbitrary: fc.record(
      { id: hostile, weight: hostile, zone: hostile, hash: hostile },
      { requiredKeys: [] },
    ),
  },
)
const size = fc.oneof(fc.constantFrom(2, 3, 7, 8, 251, 1021), hostile)
const command = fc.record(
  {
    id: hostile,
    op: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('table', 'lookup', 'replicas', 'plan') },
      { weight: 1, arbitrary: hostile },
    ),
    mode: fc.oneof(
      fc.constantFrom('stable', 'classic', 'envoy', 'cilium', 'katran-v1', 'katran-v2', 'go-maglev'),
      hostile,
    ),
    size,
    seed: rare,
    zones: rare,
    backends: fc.oneof(
      { weight: 4, arbitrary: fc.array(backend, { maxLength: 5 }) },
      { weight: 1, arbitrary: hostile },
    ),
    unavailable: rare,
    keys: fc.array(fc.oneof(fc.string(), hostile), { maxLength: 3 }),
    attempt: rare,
    key: hostile,
    n: hostile,
    change: fc.oneof(
      fc.record(
        { add: hostile, remove: hostile, weight: hostile, unavailable: hostile },
        { requiredKeys: [] },
      ),
      hostile,
    ),
  },
  { requiredKeys: ['op', 'size', 'backends'] },
)
const line = fc.oneof(
  { weight: 6, arbitrary: command.map((each) => JSON.stringify(each)) },
  { weight: 1, arbitrary: fc.string({ minLength: 1 }).map((text) => text.replaceAll(/[\r\n]/g, ' ')) },
)

test('2,000 hostile lines', () => {
  const { seed = Math.trunc(Math.random() * 2 ** 31) } = fc.readConfigureGlobal()
  const lines = fc.sample(line, { seed, numRuns: 2000 }).filter((text) => text.trim() !== '')
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', join(import.meta.dirname, 'port.ts')],
    { input: `${lines.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 28, timeout: 25_000 },
  )
  expect({ status, stderr }, `seed ${seed}`).toEqual({ status: 0, stderr: '' })
  const answers = stdout.trimEnd().split('\n')
  expect(answers, `seed ${seed}`).toHaveLength(lines.length)
  const codes = new Set<string>()
  for (const [index, text] of answers.entries()) {
    const answer: { ok?: unknown; error?: { code: string; message: string } } = JSON.parse(text)
    expect('ok' in answer !== 'error' in answer, `seed ${seed}: ${lines[index]} answered ${text}`).toBe(true)
    expect(answer.error?.code, `seed ${seed}: ${lines[index]} answered ${text}`).not.toBe('INTERNAL')
    if (answer.error) codes.add(answer.error.code)
    else codes.add('ok')
  }
  expect([...codes]).toEqual(expect.arrayContaining(['ok', 'BAD_COMMAND', 'TABLE_SIZE_NOT_PRIME']))
})
