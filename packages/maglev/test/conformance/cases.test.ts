import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

/** A recorded case: a command of the port with, beside its fields, where it is from and what must come back. */
interface RecordedCase {
  readonly id: string
  readonly what: string
  readonly source: string
  readonly licence: string
  readonly expect: Expectation
}

interface Expectation {
  /** Fields of the answer; others may stand beside them. */
  readonly ok?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: string }
  /** Greatest count less the smallest. */
  readonly spread?: number
  /** How many backends own that many slots. */
  readonly histogram?: Readonly<Record<string, number>>
}

interface Answer {
  readonly id: unknown
  readonly ok?: { readonly counts?: readonly number[] }
}

const folder = join(import.meta.dirname, 'cases')
const files = readdirSync(folder).filter((file) => file.endsWith('.jsonl'))

describe.each(files)('%s', (file) => {
  const cases = lines<RecordedCase>(readFileSync(join(folder, file), 'utf8'))
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', join(import.meta.dirname, 'port.ts'), join(folder, file)],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  )
  const answers = status === 0 ? lines<Answer>(stdout) : []

  test('every line is answered, in order', () => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(answers.map(({ id }) => id)).toEqual(cases.map(({ id }) => id))
  })

  test.each(cases.map((each, index) => [`${each.id}: ${each.what}`, each, index] as const))(
    '%s',
    (_, each, index) => {
      expect(each).toMatchObject({ source: expect.stringMatching(/./), licence: expect.stringMatching(/./) })
      const { spread, histogram, ...answer } = each.expect
      const counts = answers[index]?.ok?.counts ?? []
      expect(answers[index]).toMatchObject(answer)
      expect(spread === undefined ? undefined : Math.max(...counts) - Math.min(...counts)).toBe(spread)
      expect(histogram && histogramOf(counts)).toEqual(histogram)
    },
  )
})

function histogramOf(counts: readonly number[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const count of counts) found[count] = (found[count] ?? 0) + 1
  return found
}

function lines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): T => JSON.parse(line))
}
