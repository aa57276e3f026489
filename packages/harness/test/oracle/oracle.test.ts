import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Oracle, startOracle } from '@loadbearing/harness/oracle'
import { expect, test } from 'vitest'
import { havePython } from '../python.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

function misbehaving(options: { maxLineBytes?: number } = {}): Oracle {
  return startOracle({ command: process.execPath, args: [join(here, 'misbehaving.ts')], ...options })
}

function alive(pid: unknown): boolean {
  try {
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}

test.skipIf(!havePython)('asks a Python program (needs python3)', async () => {
  await using oracle = startOracle({ command: 'python3', args: ['peer.py'], cwd: here })
  expect(await oracle.ask([1, 2, 3])).toBe(6)
  expect(await Promise.all([[1], [2, 2], [3]].map((numbers) => oracle.ask(numbers)))).toEqual([1, 4, 3])
  expect(oracle.starts).toBe(1)
})

test.each([
  [
    'a death',
    { exit: 7 },
    'ORACLE_DIED',
    /ended instead of an answer, with status 7; its standard error ends with: about to leave$/,
  ],
  [
    'garbage',
    { garbage: 1 },
    'ORACLE_GARBLED',
    /wrote to its standard output instead of JSON: "Segmentation fault \(just kidding\)"$/,
  ],
  ['an output that ends', { deaf: 1 }, 'ORACLE_DIED', /ended instead of an answer, with SIGKILL/],
])(
  '%s is a typed error, and the next question is answered by a new program',
  async (_, question, code, message) => {
    await using oracle = misbehaving()
    expect(await oracle.ask('before')).toBe('before')
    await expect(oracle.ask(question)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
    expect(await oracle.ask('after')).toBe('after')
    expect(oracle.starts).toBe(2)
  },
)

/** In shell, because that starts fast enough for a short timeout on a loaded machine too. */
function hanging(): Oracle {
  const answers = 'while read -r line; do case $line in *hang*) sleep 3600;; *) echo $$;; esac; done'
  return startOracle({ command: 'sh', args: ['-c', answers], timeout: '2s' })
}

test('a hang is killed when its time is up', async () => {
  await using oracle = hanging()
  const pid = await oracle.ask({ pid: 1 })
  await expect(oracle.ask({ hang: 1 })).rejects.toMatchObject({ code: 'ORACLE_TIMED_OUT' })
  expect(alive(pid)).toBe(false)
  expect(await oracle.ask({ pid: 1 })).not.toBe(pid)
})

test.each([
  ['a second line', { twice: 1 }, 1, 'ORACLE_GARBLED'],
  ['a death', { leave: 1 }, 'bye', 'ORACLE_DIED'],
])('%s after the answer is not taken for the next answer', async (_, question, answer, code) => {
  await using oracle = misbehaving()
  expect(await oracle.ask(question)).toBe(answer)
  // Whether it is noticed before the question or after, the program's own answer is never given out shifted.
  await expect(oracle.ask({ hang: 1 })).rejects.toMatchObject({ code })
  expect(await oracle.ask('after')).toBe('after')
})

test('one that floods its output, or leaves a daemon that holds it open, is ended all the same', async () => {
  await using flood = startOracle({ command: 'yes' })
  await expect(flood.ask(1)).rejects.toMatchObject({ code: 'ORACLE_GARBLED' })
  await using oracle = misbehaving()
  const daemon = Number(await oracle.ask({ daemon: 1 }))
  try {
    await expect(oracle.ask(2)).rejects.toMatchObject({ code: 'ORACLE_DIED' })
    expect(alive(daemon)).toBe(true)
  } finally {
    process.kill(daemon, 'SIGKILL')
  }
})

test('an answer may be huge, up to its limit', async () => {
  await using oracle = misbehaving({ maxLineBytes: 20_000_002 })
  expect(await oracle.ask({ huge: 20_000_000 })).toHaveLength(20_000_000)
  await expect(oracle.ask({ huge: 20_000_001 })).rejects.toMatchObject({
    code: 'ORACLE_GARBLED',
    message: expect.stringContaining('longer than 20000002 bytes'),
  })
})

test('of the standard error only the end is kept', async () => {
  await using oracle = misbehaving()
  expect(await oracle.ask({ noise: 5_000_000 })).toBe('quiet')
  const failure: unknown = await oracle.ask({ exit: 1 }).catch((error: unknown) => error)
  if (!(failure instanceof Error)) throw new Error('did not fail')
  expect(failure.message.length).toBeLessThan(5000)
  expect(failure.message).toMatch(/about to leave$/)
})

test('a program that is not there, or a folder that is not, is told', async () => {
  await using missing = startOracle({ command: 'no-such-program' })
  await expect(missing.ask(1)).rejects.toMatchObject({
    code: 'ORACLE_DIED',
    message: expect.stringContaining('not found'),
  })
  await using nowhere = startOracle({ command: 'python3', cwd: join(here, 'nowhere') })
  await expect(nowhere.ask(1)).rejects.toMatchObject({
    code: 'ORACLE_DIED',
    message: 'python3 could not be started',
    cause: expect.objectContaining({ code: 'ENOENT' }),
  })
})

test('a question that is no JSON is refused before it is sent', async () => {
  await using oracle = misbehaving()
  for (const question of [undefined, 1n, () => {}]) {
    expect(() => oracle.ask(question)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
  }
  expect(() => startOracle({ command: '' })).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
  expect(() => startOracle({ command: 'x', timeout: -1 })).toThrow(
    expect.objectContaining({ code: 'BAD_OPTION' }),
  )
  expect(oracle.starts).toBe(0)
})

test('disposal leaves no process, also while a question waits', async () => {
  const oracle = misbehaving()
  const pid = await oracle.ask({ pid: 1 })
  const waiting = oracle.ask({ hang: 1 }).catch((error: unknown) => error)
  const queued = oracle.ask(1).catch((error: unknown) => error)
  // By then the question was written.
  await new Promise((resolve) => setImmediate(resolve))
  await oracle[Symbol.asyncDispose]()
  expect(await waiting).toMatchObject({ code: 'ORACLE_DIED', message: expect.stringContaining('SIGKILL') })
  expect(await queued).toMatchObject({ code: 'ORACLE_DIED', message: expect.stringContaining('disposed') })
  expect(alive(pid)).toBe(false)
  await expect(oracle.ask(1)).rejects.toMatchObject({ code: 'ORACLE_DIED' })
})
