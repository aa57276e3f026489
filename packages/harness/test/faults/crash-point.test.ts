import { expect, test } from 'vitest'
import { type ChildExit, startChild } from '../../src/faults/index.ts'

const crashing = new URL('children/crashing.ts', import.meta.url)

async function run(options: Parameters<typeof startChild>[1]): Promise<ChildExit & { wrote: string[] }> {
  await using child = await startChild(crashing, { args: ['3'], ...options })
  return { ...(await child.exit), wrote: child.output.stdout.split('\n').filter((line) => line !== '') }
}

test('without CRASH_AT a crash point does nothing', async () => {
  expect(await run({})).toEqual({
    code: 0,
    signal: null,
    wrote: ['wrote 1', 'wrote 2', 'wrote 3', 'exit handler ran'],
  })
})

test.each([
  { crashAt: 'before-write:1', wrote: [] },
  { crashAt: 'after-write:1', wrote: ['wrote 1'] },
  { crashAt: 'before-write:3', wrote: ['wrote 1', 'wrote 2'] },
  { crashAt: 'after-write:3', wrote: ['wrote 1', 'wrote 2', 'wrote 3'] },
])('$crashAt kills exactly there with SIGKILL, and the parent learns it', async ({ crashAt, wrote }) => {
  const [name, n] = crashAt.split(':')
  expect(await run({ crashAt })).toEqual({
    code: null,
    signal: 'SIGKILL',
    crashedAt: { name, n: Number(n) },
    wrote,
  })
})

test('a passing that never comes kills nobody', async () => {
  expect(await run({ crashAt: 'after-write:4' })).toMatchObject({ code: 0, signal: null })
  expect(await run({ crashAt: 'another:1' })).toMatchObject({ code: 0, signal: null })
})

test('the passings can be counted, also of a child that crashed', async () => {
  await using whole = await startChild(crashing, { args: ['3'], recordPoints: true })
  await whole.exit
  expect([...whole.pointsPassed]).toEqual([
    ['before-write', 3],
    ['after-write', 3],
  ])
  await using crashed = await startChild(crashing, {
    args: ['3'],
    recordPoints: true,
    crashAt: 'before-write:2',
  })
  expect(await crashed.exit).toMatchObject({ crashedAt: { name: 'before-write', n: 2 } })
  expect([...crashed.pointsPassed]).toEqual([
    ['before-write', 2],
    ['after-write', 1],
  ])
})

test('a campaign that records first and then crashes everywhere reaches every passing', async () => {
  await using whole = await startChild(crashing, { args: ['2'], recordPoints: true })
  await whole.exit
  const reached: string[] = []
  for (const [name, passings] of whole.pointsPassed) {
    for (let n = 1; n <= passings; n++) {
      const { crashedAt } = await run({ args: ['2'], crashAt: `${name}:${n}` })
      reached.push(`${crashedAt?.name}:${crashedAt?.n}`)
    }
  }
  expect(reached).toEqual(['before-write:1', 'before-write:2', 'after-write:1', 'after-write:2'])
})

test('a malformed CRASH_AT is an error that names it', async () => {
  await using child = await startChild(crashing, { args: ['1'], env: { CRASH_AT: 'after-write' } })
  expect(await child.exit).toEqual({ code: 1, signal: null })
  expect(child.output.stderr).toContain('BAD_OPTION')
  expect(child.output.stderr).toContain('CRASH_AT must be name:n')
})

test('CRASH_AT works without the harness as parent', async () => {
  const { spawn } = await import('node:child_process')
  const { once } = await import('node:events')
  const child = spawn(process.execPath, [crashing.pathname, '3'], {
    env: { ...process.env, CRASH_AT: 'after-write:2' },
    stdio: 'ignore',
  })
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
})
