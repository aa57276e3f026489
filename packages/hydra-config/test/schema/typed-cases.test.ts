import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { crashesLeftOut, ourTyped } from '../differential/typed-answers.ts'
import type { TypedCase } from '../differential/typed-case.ts'

/** A case with what the running OmegaConf answered to it. */
interface Recorded extends TypedCase {
  readonly expect: { readonly ok: object }
}

test('structured configs are what OmegaConf makes of dataclasses', () => {
  const lines = readFileSync(join(import.meta.dirname, 'typed-cases.jsonl'), 'utf8')
    .trim()
    .split('\n')
  expect(lines.length).toBe(300)
  let failed = 0
  for (const line of lines) {
    const { expect: recorded, ...input } = JSON.parse(line) as Recorded
    const ours = ourTyped(input)
    expect(crashesLeftOut({ ok: recorded.ok }, { ok: ours }), line).toEqual({ ok: ours })
    failed += Number('error' in recorded.ok)
  }
  // Both what is taken and what is refused is there.
  expect(Math.min(failed, lines.length - failed)).toBeGreaterThan(60)
})
