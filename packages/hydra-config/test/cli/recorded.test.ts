import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CliCase } from '../differential/cli-case.ts'
import { type CliAnswer, knownCliDifferences, ourCli } from '../differential/cli-cases.ts'

type Recorded = CliCase & { readonly id: string; readonly expect: CliAnswer }

const cases = readFileSync(join(import.meta.dirname, 'recorded.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded)

describe('command lines that the running Hydra was given', () => {
  test('there are hundreds of them, some of which it refused', () => {
    expect(cases.length).toBeGreaterThan(300)
    const statuses = new Set(cases.map((each) => each.expect.exit))
    expect(statuses).toEqual(new Set([0, 1, 2]))
  })

  test.each(cases.map((each) => [each.id, each.argv.join(' '), each] as const))(
    '%s: my_app.py %s',
    async (_, __, { expect: theirs, ...input }) => {
      const ours = await ourCli(input)
      const saved = ours.saved
      if (knownCliDifferences.some(({ covers }) => covers(input, ours, { ...theirs, saved }))) return
      expect(ours, input.environment['COMP_LINE']).toEqual({ ...theirs, saved })
    },
  )
})
