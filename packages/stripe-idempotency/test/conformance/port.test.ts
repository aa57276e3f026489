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
  readonly expect: Readonly<Record<string, unknown>>
}

const port = join(import.meta.dirname, 'port.ts')
const folder = join(import.meta.dirname, 'cases')

function run(
  args: readonly string[],
  input = '',
): { lines: Record<string, unknown>[]; status: number | null } {
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', port, ...args],
    {
      encoding: 'utf8',
      input,
    },
  )
  return { lines: lines(stdout), status }
}

function lines<Line>(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line))
}

describe.each(readdirSync(folder))('%s', (file) => {
  const cases = lines<RecordedCase>(readFileSync(join(folder, file), 'utf8'))
  const answers = run([join(folder, file)])

  test('every line is answered, in order', () => {
    expect(answers.status).toBe(0)
    expect(answers.lines.map(({ id }) => id)).toEqual(cases.map(({ id }) => id))
  })

  test.each(cases.map((each, index) => [`${each.id}: ${each.what}`, each, index] as const))(
    '%s',
    (_, each, index) => {
      expect(each).toMatchObject({ source: expect.stringMatching(/./), licence: expect.stringMatching(/./) })
      expect(answers.lines[index]).toMatchObject(each.expect)
    },
  )
})

test('what is no command is told so, and the next line is read', () => {
  const bad = [
    '{',
    '[]',
    '{"id":"1","op":"other"}',
    '{"id":"2","op":"exchange"}',
    '{"id":"3","op":"key","mode":"stripe-v3","lines":[]}',
    '{"id":"4","op":"key","mode":"ietf","lines":[1]}',
    '{"id":"6","op":"exchange","mode":"ietf","options":{"rerun":"maybe"},"requests":[]}',
    // It would be renewed until the end of time.
    '{"id":"7","op":"exchange","mode":"ietf","requests":[{"at":0,"account":"a","method":"POST","path":"/","handler":{"takes":1e308,"status":200}}]}',
  ]
  const good = '{"id":"5","op":"key","mode":"stripe-v1","lines":["k"]}'
  const { lines: answers, status } = run([], `${[...bad, good].join('\n')}\n`)
  expect(status).toBe(0)
  expect(answers.slice(0, -1).map(({ error }) => error)).toEqual(
    bad.map(() => expect.objectContaining({ code: 'BAD_COMMAND' })),
  )
  expect(answers.at(-1)).toEqual({ id: '5', ok: { key: 'k' } })
})

test('an error of the package ends its command with its code', () => {
  const request = { at: 0, method: 'POST', path: '/', headers: { 'idempotency-key': 'k' } }
  const handler = { takes: 5, status: 200 }
  const requests = ['acct_1', ''].map((account) => ({ ...request, account, handler }))
  const command = { id: '1', op: 'exchange', mode: 'stripe-v1', requests }
  const { lines: answers, status } = run([], `${JSON.stringify(command)}\n`)
  expect(status).toBe(0)
  expect(answers).toMatchObject([{ id: '1', error: { code: 'scope_missing' } }])
})
