import { fileURLToPath } from 'node:url'
import { compareWithOracle, formatComparison, startOracle } from '@loadbearing/harness/oracle'
import { array, integer } from 'fast-check'
import { expect, test } from 'vitest'
import { havePython } from '../python.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const numbers = array(integer({ min: 0, max: 1000 }))
const sum = (input: number[]): number => input.reduce((total, one) => total + one, 0)
const peer = `
import { createInterface } from 'node:readline'
for await (const line of createInterface(process.stdin)) {
  let total = 0
  for (const one of JSON.parse(line)) total += one
  console.log(total)
}`
// Forgets to carry: wrong from 100 on.
const planted = (input: number[]): number => sum(input) % 100

test.skipIf(!havePython)('finds no difference between equal programs (needs python3)', async () => {
  await using oracle = startOracle({ command: 'python3', args: ['peer.py'], cwd: here })
  const report = await compareWithOracle({
    arbitrary: numbers,
    ours: sum,
    theirs: (input) => oracle.ask(input),
    seed: 1,
    runs: 500,
  })
  expect(report).toEqual({
    seed: 1,
    runs: 500,
    cases: 500,
    agreed: 500,
    differences: [],
    known: [],
    unanswered: [],
  })
})

test.skipIf(!havePython)('shrinks a planted difference to the smallest case (needs python3)', async () => {
  await using oracle = startOracle({ command: 'python3', args: ['peer.py'], cwd: here })
  const comparison = { arbitrary: numbers, ours: planted, theirs: (input: number[]) => oracle.ask(input) }
  const report = await compareWithOracle({ ...comparison, seed: 3, maxDifferences: 1 })
  expect(report.differences).toEqual([{ case: [100], ours: 0, theirs: 100, cases: 1 }])
  expect(formatComparison(report)).toContain(
    'difference at [ 100 ]: ours 0, theirs 100 (1 case shrunk to this one)',
  )
  expect(await compareWithOracle({ ...comparison, seed: 3, maxDifferences: 1 })).toEqual(report)
})

test('finds and shrinks it in a program of our own as well', async () => {
  await using oracle = startOracle({
    command: process.execPath,
    args: ['--input-type=module', '--eval', peer],
  })
  const comparison = {
    arbitrary: numbers,
    theirs: (input: number[]) => oracle.ask(input),
    seed: 3,
    runs: 300,
  }
  expect(await compareWithOracle({ ...comparison, ours: sum })).toMatchObject({
    agreed: 300,
    differences: [],
  })
  const { differences } = await compareWithOracle({ ...comparison, ours: planted, maxDifferences: 1 })
  expect(differences).toEqual([{ case: [100], ours: 0, theirs: 100, cases: 1 }])
})

test('goes on behind a difference with the cases that it would have had anyway', async () => {
  const run = async (ours: (input: number) => number) => {
    const asked: number[] = []
    const report = await compareWithOracle({
      arbitrary: integer({ min: 0, max: 1e6 }),
      ours,
      theirs: (input) => {
        asked.push(input)
        return input
      },
      seed: 5,
      runs: 200,
      maxDifferences: 1000,
    })
    return { report, asked }
  }
  const equal = await run((input) => input)
  const different = await run((input) => (input > 900_000 ? -1 : input))
  const wrong = equal.asked.filter((input) => input > 900_000).length
  expect(wrong).toBeGreaterThan(5)
  expect(different.report).toMatchObject({ cases: 200, agreed: 200 - wrong })
  expect(different.report.differences).toEqual([{ case: 900_001, ours: -1, theirs: 900_001, cases: wrong }])
  // Its cases, the probes of shrinking between them, in the same order.
  let at = 0
  for (const input of different.asked) if (input === equal.asked[at]) at++
  expect(at).toBe(equal.asked.length)
})

test('counts what is known with its reason, and finds what is not', async () => {
  const report = await compareWithOracle({
    arbitrary: integer({ min: -100, max: 100 }),
    ours: (input) => (input === 42 ? 0 : input),
    theirs: Math.abs,
    known: [{ reason: 'theirs drops the sign', covers: (input) => input < 0 }],
    seed: 1,
  })
  const [known] = report.known
  expect(known?.reason).toBe('theirs drops the sign')
  expect(known?.cases).toBeGreaterThan(100)
  expect(report.differences).toMatchObject([{ case: 42, ours: 0, theirs: 42 }])
  const differed = report.differences.reduce((total, { cases }) => total + cases, 0)
  expect(report.agreed + (known?.cases ?? 0) + differed).toBe(report.cases)
})

test('an oracle that hangs or dies on a case is started anew, and the case counted as unanswered', async () => {
  // In shell, because that starts fast enough for a short timeout on a loaded machine too.
  const answers =
    'while read -r line; do case $line in *hang*) sleep 3600;; *exit*) exit 1;; *) echo $line;; esac; done'
  await using oracle = startOracle({ command: 'sh', args: ['-c', answers], timeout: '2s' })
  const report = await compareWithOracle({
    arbitrary: integer({ min: 0, max: 20 }),
    ours: (input) => input,
    theirs: (input) => oracle.ask(input === 11 ? { hang: 1 } : input === 12 ? { exit: 1 } : input),
    seed: 3,
    runs: 30,
  })
  // Among the cases of this seed are one 11 and one 12.
  expect(Object.fromEntries(report.unanswered.map((one) => [one.case, one.error.code]))).toEqual({
    11: 'ORACLE_TIMED_OUT',
    12: 'ORACLE_DIED',
  })
  expect(report).toMatchObject({ cases: 30, agreed: 28, differences: [] })
  expect(oracle.starts).toBe(3)
  expect(formatComparison(report)).toContain('2 unanswered')
})

test('stops, and says so, when too many are unanswered', async () => {
  await using oracle = startOracle({ command: 'no-such-program' })
  const theirs = (input: number[]): Promise<unknown> => oracle.ask(input)
  const report = await compareWithOracle({ arbitrary: numbers, ours: sum, theirs, maxUnanswered: 3 })
  expect(report).toMatchObject({ runs: 1000, cases: 3, agreed: 0, differences: [] })
  expect(report.unanswered).toHaveLength(3)
})

test('what we throw is a difference, what their side throws is thrown on', async () => {
  const throwing = (input: number): number => {
    if (input >= 30) throw new RangeError('too big')
    return input
  }
  const arbitrary = integer({ min: 0, max: 100 })
  const report = await compareWithOracle({
    arbitrary,
    ours: throwing,
    theirs: (input) => input,
    maxDifferences: 1,
  })
  expect(report.differences).toMatchObject([{ case: 30, ours: new RangeError('too big'), theirs: 30 }])
  const comparison = compareWithOracle({ arbitrary, ours: (input) => input, theirs: throwing })
  await expect(comparison).rejects.toThrow('too big')
})

test.each([{ runs: -1 }, { runs: 1.5 }, { seed: Number.NaN }])('refuses %j', async (option) => {
  const comparison = compareWithOracle({ arbitrary: numbers, ours: sum, theirs: sum, ...option })
  await expect(comparison).rejects.toMatchObject({ code: 'BAD_OPTION' })
})
