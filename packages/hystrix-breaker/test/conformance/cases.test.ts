import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

interface RecordedCase {
  readonly id: string
  readonly what: string
  readonly source: string
  readonly licence: string
  readonly expect: object
}

const folder = join(import.meta.dirname, 'cases')

describe.each(readdirSync(folder).filter((name) => name.endsWith('.jsonl')))('%s', (file) => {
  const cases = lines<RecordedCase>(readFileSync(join(folder, file), 'utf8'))
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', join(import.meta.dirname, 'port.ts'), join(folder, file)],
    { encoding: 'utf8' },
  )
  const answers = status === 0 ? lines<{ readonly id: string }>(stdout) : []

  test('every line is answered, in order', () => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(answers.map(({ id }) => id)).toEqual(cases.map(({ id }) => id))
  })

  test.each(cases.map((each, index) => [`${each.id}: ${each.what}`, each, index] as const))(
    '%s',
    (_, each, index) => {
      expect(each).toMatchObject({ source: expect.stringMatching(/./), licence: expect.stringMatching(/./) })
      expect(answers[index]).toMatchObject(each.expect)
    },
  )
})

function lines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): T => JSON.parse(line))
}
