import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type CompareOptions,
  type ComparisonResult,
  compare,
  formatTable,
  type Measured,
  type ModuleSubject,
  tableOf,
} from '@loadbearing/harness/bench'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { havePython } from '../python.ts'

const module = new URL('./subjects.ts', import.meta.url)
const cases = Array.from({ length: 16 }, (_, n) => 1000 + n)
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

function subject(name: string): ModuleSubject {
  return name === 'prepare' ? { name, module } : { name, module, export: name }
}

function run(names: string[], options: Partial<CompareOptions> = {}): Promise<ComparisonResult> {
  return compare({
    work: 'sum',
    subjects: names.map(subject),
    baseline: 'prepare',
    cases,
    answers: 'equal',
    rounds: 5,
    roundTime: 2,
    warmUp: 10,
    nodeArgs: ['--conditions=@loadbearing/source'],
    ...options,
  })
}

function find(result: ComparisonResult, name: string): Measured {
  const found = result.measured.find((one) => one.name === name)
  if (found === undefined) throw new Error(`${name} was not measured: ${JSON.stringify(result.failed)}`)
  return found
}

function alive(pid: unknown): boolean {
  try {
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}

test('tells who does ten times the work, and takes the rounds in turn', async () => {
  const result = await run(['prepare', 'tenfold', 'later'], { rounds: 9 })
  const tenfold = find(result, 'tenfold')
  expect(tenfold.ratio.median).toBeGreaterThan(3)
  expect(tenfold.ratio.median).toBeLessThan(33)
  expect(tenfold.ratio.p25).toBeLessThanOrEqual(tenfold.ratio.median)
  expect(tenfold.ratio.p75).toBeGreaterThanOrEqual(tenfold.ratio.median)
  expect(find(result, 'prepare').ratio).toEqual({ median: 1, p25: 1, p75: 1 })
  expect(find(result, 'later').nsPerCall.median).toBeGreaterThan(0)
  expect(result.failed).toEqual([])
  const round = ['prepare', 'tenfold', 'later', 'tenfold', 'later', 'prepare', 'later', 'prepare', 'tenfold']
  expect(result.order).toEqual([...round, ...round, ...round])
})

test('does not call equal work different', async () => {
  const result = await run(['prepare', 'fromInput'], { input: { factor: 1 }, rounds: 9 })
  expect(find(result, 'fromInput').ratio.median).toBeGreaterThan(1 / 3)
  expect(find(result, 'fromInput').ratio.median).toBeLessThan(3)
})

test('refuses to time programs whose answers differ, naming them and the case', async () => {
  await expect(run(['prepare', 'wrong', 'tenfold'])).rejects.toMatchObject({
    name: 'HarnessError',
    code: 'ANSWERS_DIFFER',
    message:
      'wrong and prepare answer case 7 differently, so nothing was timed: to 1007 wrong says 0, prepare says 507528',
  })
})

test.skipIf(!havePython)('has asked nobody to run by then (needs python3)', async () => {
  const log = join(folder, 'refused.log')
  const args = [fileURLToPath(new URL('subject.py', module)), log]
  const subjects = [subject('prepare'), { name: 'python', command: 'python3', args }, subject('wrong')]
  await expect(run([], { subjects })).rejects.toMatchObject({ code: 'ANSWERS_DIFFER' })
  expect(await readFile(log, 'utf8')).toBe('prepare\nanswers\n')
})

test.skipIf(!havePython)('measures a program in another language (needs python3)', async () => {
  const log = join(folder, 'measured.log')
  const python = {
    name: 'python',
    command: 'python3',
    args: [fileURLToPath(new URL('subject.py', module)), log],
  }
  const result = await run([], { subjects: [subject('prepare'), python], rounds: 3 })
  expect(find(result, 'python')).toMatchObject({
    heapBytes: 1234,
    rssBytes: undefined,
    allocatedPerCall: undefined,
  })
  expect(find(result, 'python').ratio.median).toBeGreaterThan(3)
  expect(await readFile(log, 'utf8')).toBe('prepare\nanswers\nwarm-up\nround\nround\nround\nallocation\n')
})

test('where good programs may differ, each is held against a check', async () => {
  const pids = new Set<unknown>()
  const rule = (answers: readonly unknown[]): undefined => {
    for (const pid of answers) pids.add(pid)
  }
  const result = await run(['prepare', 'identified'], { answers: rule })
  expect(result.measured).toHaveLength(2)
  const seen: string[] = []
  const broken = run(['prepare', 'identified'], {
    answers: (answers, name) => {
      seen.push(name)
      return answers[0] === 500500 ? undefined : 'the first sum is wrong'
    },
  })
  await expect(broken).rejects.toMatchObject({
    code: 'ANSWERS_DIFFER',
    message: 'identified fails the check: the first sum is wrong; nothing was timed',
  })
  expect(seen).toEqual(['prepare', 'identified'])
})

test('tells what a subject holds and what its calls allocate', async () => {
  const result = await run(['prepare', 'holding', 'allocating'], { rounds: 1 })
  expect(find(result, 'holding').heapBytes).toBeGreaterThan(39e6)
  expect(find(result, 'holding').heapBytes).toBeLessThan(45e6)
  expect(find(result, 'prepare').heapBytes).toBeLessThan(1e6)
  // 100 elements of 4 or 8 bytes, and what the engine puts around them.
  expect(find(result, 'allocating').allocatedPerCall).toBeGreaterThan(400)
  expect(find(result, 'allocating').allocatedPerCall).toBeLessThan(20_000)
  expect(find(result, 'prepare').allocatedPerCall).toBeLessThan(400)
})

test('a subject that breaks down is reported, and the others go on', async () => {
  const result = await run(['throwing', 'prepare', 'leaving', 'nothing', 'missing', 'leavingLater'], {
    roundTime: 50,
    warmUp: 1,
  })
  expect(result.measured.map(({ name }) => name)).toEqual(['prepare'])
  expect(result.failed.map(({ name, error }) => [name, error.code])).toEqual(
    ['throwing', 'leaving', 'nothing', 'missing', 'leavingLater'].map((name) => [name, 'SUBJECT_FAILED']),
  )
  const messages = result.failed.map(({ error }) => error.message)
  expect(messages[0]).toBe('throwing broke down: prepare: RangeError: not today')
  expect(messages[1]).toMatch(/^leaving broke down: .* with status 9/)
  expect(messages[2]).toContain('must return { call, answer? }')
  expect(messages[3]).toContain('exports no function missing')
  expect(messages[4]).toMatch(/with status 9/)
  expect(formatTable(result)).toMatch(/\nleaving +failed /)
  expect(tableOf(result).rows.map(([name]) => name)).toHaveLength(6)
})

test('a hang ends when its time is up; no process is left', async () => {
  const pids: unknown[] = []
  const result = await run(['prepare', 'identified', 'hanging'], {
    timeout: '5s',
    answers: (answers) => {
      pids.push(...answers)
      return undefined
    },
  })
  expect(result.failed).toMatchObject([{ name: 'hanging', error: { code: 'SUBJECT_FAILED' } }])
  const pid = pids.at(-1)
  expect(pid).not.toBe(process.pid)
  expect(alive(pid)).toBe(false)
})

test('without its baseline a comparison fails, and leaves no process either', async () => {
  await expect(run(['throwing', 'prepare'], { baseline: 'throwing' })).rejects.toMatchObject({
    code: 'SUBJECT_FAILED',
    message: expect.stringContaining('not today'),
  })
})

test.each<[string, Partial<CompareOptions>, RegExp]>([
  ['a baseline that is none', { baseline: 'x' }, /baseline must be one of prepare; received "x"/],
  ['no cases', { cases: [] }, /cases must hold at least one/],
  ['a name used twice', { subjects: [subject('prepare'), subject('prepare')] }, /two are called "prepare"/],
  ['no rounds', { rounds: 0 }, /rounds must be an integer of at least 1, received 0/],
  ['a negative time', { roundTime: -1 }, /roundTime must be milliseconds/],
])('refuses %s', async (_, options, message) => {
  const refused = run(['prepare'], options)
  await expect(refused).rejects.toMatchObject({ code: 'BAD_OPTION', message: expect.stringMatching(message) })
})
