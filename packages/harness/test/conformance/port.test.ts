import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'

const port = join(import.meta.dirname, 'port.ts')
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'port-'))
})
afterAll(() => rm(folder, { recursive: true }))

function start(files: string[] = []): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--conditions=@loadbearing/source', port, ...files], { cwd: folder })
}

async function run(input: string | Uint8Array, files: string[] = []) {
  const child = start(files)
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (child.exitCode === null) await once(child, 'exit')
  const answers: unknown[] = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
  return { answers, stderr, status: child.exitCode }
}

test('answers every line in order, through good and bad', async () => {
  const { answers, stderr, status } = await run(
    Buffer.concat([
      Buffer.from('{"id":1,"op":"later","value":"first"}\r\n\n   \n'),
      Buffer.from('{"id":2,"op":"chatter","value":"second"}\n{"id":3\n{"id":4,"op":"broken"}\n'),
      Buffer.of(0x7b, 0xff, 0x0a),
      Buffer.from('{"id":5,"op":"overflow"}\n{"id":6,"op":"coded"}\n{"id":7,"op":"infinite"}\n'),
      Buffer.from('{"id":8,"op":"length","value":5}\n{"id":9,"op":"echo","value":"last"}'),
    ]),
  )
  expect(answers).toEqual([
    { id: 1, ok: 'first' },
    { id: 2, ok: 'second' },
    { id: null, error: { code: 'BAD_COMMAND', message: expect.stringContaining('not JSON') } },
    { id: 4, error: { code: 'INTERNAL', message: expect.stringContaining('TypeError') } },
    { id: null, error: { code: 'BAD_COMMAND', message: 'the line is not UTF-8' } },
    { id: 5, error: { code: 'INTERNAL', message: expect.stringContaining('RangeError') } },
    { id: 6, error: { code: 'PARSE_FAILED', message: 'offset 3 is bad', offset: 3 } },
    { id: 7, error: { code: 'INTERNAL', message: expect.stringContaining('Infinity') } },
    { id: 8, error: { code: 'BAD_COMMAND', message: 'value must be a string; received 5' } },
    { id: 9, ok: 'last' },
  ])
  expect(stderr).toBe('by console.log\nby write\n')
  expect(status).toBe(0)
})

test('answers the lines of the files named, in their order', async () => {
  await writeFile(join(folder, 'a.jsonl'), '{"id":"a","op":"echo","value":1}\n')
  await writeFile(join(folder, 'b.jsonl'), '{"id":"b","op":"echo","value":2}')
  const { answers, status } = await run('{"id":"not read","op":"echo"}', ['a.jsonl', 'b.jsonl', 'a.jsonl'])
  expect(answers).toEqual([
    { id: 'a', ok: 1 },
    { id: 'b', ok: 2 },
    { id: 'a', ok: 1 },
  ])
  expect(status).toBe(0)
})

test('a file that is not there, or a folder, ends it with status 2 before anything is answered', async () => {
  await writeFile(join(folder, 'here.jsonl'), '{"id":"a","op":"echo","value":1}\n')
  const missing = await run('', ['here.jsonl', 'missing.jsonl'])
  expect(missing).toMatchObject({ answers: [], status: 2 })
  expect(missing.stderr).toMatch(/^conformance: cannot read missing\.jsonl: ENOENT.*\n$/)
  const directory = await run('', ['.'])
  expect(directory).toMatchObject({
    answers: [],
    status: 2,
    stderr: expect.stringContaining('. is a directory'),
  })
})

test('a line of more than 64 MiB is refused and the next is answered', async () => {
  const huge = Buffer.alloc(64 * 1024 * 1024 + 1, 'x')
  const { answers, status } = await run(
    Buffer.concat([huge, Buffer.from('\n{"id":1,"op":"echo","value":2}\n')]),
  )
  expect(answers).toEqual([
    { id: null, error: { code: 'BAD_COMMAND', message: 'the line is longer than 67108864 bytes' } },
    { id: 1, ok: 2 },
  ])
  expect(status).toBe(0)
})

test('an error that escapes from an operation costs the exit status, not the answers', async () => {
  const { answers, stderr, status } = await run(
    '{"id":1,"op":"escape","value":1}\n{"id":2,"op":"echo","value":2}\n',
  )
  expect(answers).toEqual([
    { id: 1, ok: 1 },
    { id: 2, ok: 2 },
  ])
  expect(stderr).toContain('thrown outside')
  expect(status).toBe(1)
})

test('ends quietly when nobody reads the answers any more', async () => {
  const child = start()
  const stderr = text(child.stderr)
  child.stdin.on('error', () => {})
  const line = `${JSON.stringify({ id: 1, op: 'repeat', text: 'x', times: 100_000 })}\n`
  child.stdin.write(line)
  await once(createInterface(child.stdout), 'line')
  child.stdout.destroy()
  // Standard input stays open: only the failed write can end the process.
  child.stdin.write(line.repeat(5))
  await once(child, 'exit')
  expect({ stderr: await stderr, status: child.exitCode }).toEqual({ stderr: '', status: 0 })
})

test('holds one answer at a time, whatever the reader takes', async () => {
  const child = start()
  const times = 500_000
  const command = `${JSON.stringify({ id: 1, op: 'repeat', text: 'x', times })}\n`
  child.stdin.end(`${command.repeat(1000)}{"id":2,"op":"memory"}\n`)
  let bytes = 0
  let tail = ''
  for await (const chunk of child.stdout) {
    bytes += chunk.length
    tail = `${tail}${chunk}`.slice(-100)
  }
  const last = tail.slice(tail.indexOf('\n') + 1)
  expect(bytes).toBe(1000 * (times + '{"id":1,"ok":""}\n'.length) + last.length)
  // 1,000 answers are 500 MB.
  expect(JSON.parse(last).ok).toBeLessThan(300e6)
})
