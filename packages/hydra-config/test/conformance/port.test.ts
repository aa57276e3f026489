import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('the port answers every line, malformed ones too', () => {
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', join(import.meta.dirname, 'port.ts')],
    {
      input: [
        '{"id":"1","op":"override","text":"+db.port=5432"}',
        '{"id":"2","op":"override","text":"a=b=c"}',
        '{"id":"3","op":"compose","files":{"config.yaml":"a: ${b}\\nb: 1.0\\n"},"config":"config","resolve":true}',
        'not JSON',
      ].join('\n'),
      encoding: 'utf8',
    },
  )
  const answers: unknown[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(status).toBe(0)
  expect(answers).toMatchObject([
    { id: '1', ok: { key: 'db.port', package: null, type: 'ADD', value: { i: '5432' } } },
    { id: '2', error: { code: 'OVERRIDE_PARSE', class: 'OverrideParseException', offset: 3 } },
    {
      id: '3',
      ok: {
        value: {
          m: [
            ['a', { f: '1.0' }],
            ['b', { f: '1.0' }],
          ],
        },
      },
    },
    { id: null, error: { code: 'BAD_COMMAND' } },
  ])
})
