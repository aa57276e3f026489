import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

/** A command of the port with what the running Hydra answered to it. */
interface RecordedCase {
  readonly id: string
  readonly expect: { readonly ok: unknown } | { readonly error: Readonly<Record<string, unknown>> }
}

const folder = join(import.meta.dirname, 'cases')

describe.each(readdirSync(folder).filter((file) => file.endsWith('.jsonl')))('%s', (file) => {
  const cases = lines<RecordedCase>(readFileSync(join(folder, file), 'utf8'))
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', join(import.meta.dirname, 'port.ts'), join(folder, file)],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  )

  test('every line is answered, in order, as Hydra does', () => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const answers = lines<{ id: string }>(stdout)
    expect(answers.map(({ id }) => id)).toEqual(cases.map(({ id }) => id))
    expect(cases.length).toBeGreaterThan(20)
    for (const [index, { id, expect: recorded }] of cases.entries()) {
      if ('ok' in recorded) expect(answers[index]).toEqual({ id, ok: recorded.ok })
      else expect(answers[index], id).toMatchObject({ id, error: recorded.error })
    }
  })
})

function lines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}
