import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('the port answers every line, malformed ones too', () => {
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', join(import.meta.dirname, 'port.ts')],
    {
      input: [
        '{"id":"1","op":"take","capacity":1,"refillPerSecond":1,"at":[0,1,1001]}',
        '{"id":"2","op":"take","capacity":0,"refillPerSecond":1,"at":[]}',
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
    { id: '1', ok: { granted: [true, false, true] } },
    { id: '2', error: { code: 'INVALID_OPTION' } },
    { id: null, error: { code: 'BAD_COMMAND' } },
  ])
})
