import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ComparisonReport, compareWithOracle, startOracle } from '@loadbearing/harness/oracle'
import type { Arbitrary } from 'fast-check'
import { compileCondition } from '../../src/condition/condition.ts'
import { compilePattern } from '../../src/condition/re2/pattern.ts'
import { isZanzibarError } from '../../src/errors.ts'
import { brokenCase, type ConditionCase, conditionCase } from './condition-cases.ts'
import { type PatternCase, patternCase } from './pattern-cases.ts'

/** What came of a case: an answer, or the message that refuses it. */
export type ConditionAnswer =
  | { readonly ok: { readonly result: boolean; readonly cost: number; readonly missing: readonly string[] } }
  | { readonly error: string }

/** Builds OpenFGA's own conditions into a program, once, through the Go module proxy; or says why it cannot. */
export function findConditionOracle(): { command: string } | { missing: string } {
  const folder = fileURLToPath(new URL('condition-oracle', import.meta.url))
  const home = join(homedir(), '.cache', 'loadbearing')
  mkdirSync(home, { recursive: true })
  const command = join(home, 'zanzibar-condition-oracle')
  const compiler = 'go'
  const built = spawnSync(compiler, ['build', '-o', command, '.'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 15 * 60_000,
  })
  if (built.error !== undefined) return { missing: built.error.message }
  return built.status === 0 ? { command } : { missing: `go build: ${built.stderr.trim().split('\n').at(-1)}` }
}

type ConditionReport = ComparisonReport<ConditionCase, ConditionAnswer, ConditionAnswer>

/** Puts random expressions to OpenFGA's conditions and ours, and compares results, costs and messages. */
export async function compareConditions(
  command: string,
  seed: number,
  runs: number,
  maxDifferences = 5,
): Promise<ConditionReport> {
  return await compareCases(command, { arbitrary: conditionCase, seed, runs, maxDifferences })
}

/** As {@link compareConditions}, of expressions that mostly cannot be read. */
export async function compareBrokenConditions(
  command: string,
  seed: number,
  runs: number,
  maxDifferences = 5,
): Promise<ConditionReport> {
  return await compareCases(command, { arbitrary: brokenCase, seed, runs, maxDifferences })
}

async function compareCases(
  command: string,
  campaign: { arbitrary: Arbitrary<ConditionCase>; seed: number; runs: number; maxDifferences: number },
): Promise<ConditionReport> {
  await using oracle = startOracle({ command, timeout: '30s' })
  return await compareWithOracle<ConditionCase, ConditionAnswer, ConditionAnswer>({
    ...campaign,
    theirs: async (asked) => readAnswer(await oracle.ask(asked)),
    ours: answer,
    known: [
      {
        reason:
          'Go says where in an address it stopped, the Go type of a key that can be none, or the first in random order of the entries of a map',
        covers: (_asked, ours, theirs) => shorten(ours) !== undefined && shorten(ours) === shorten(theirs),
      },
      {
        reason:
          'both refuse the syntax; ANTLR goes on behind the first error and has words of its own for some',
        covers: (_asked, ours, theirs) => isSyntaxError(ours) && isSyntaxError(theirs),
      },
    ],
  })
}

/** Puts random regular expressions and texts to Go's `regexp` and ours. */
export async function comparePatterns(
  command: string,
  seed: number,
  runs: number,
): Promise<ComparisonReport<PatternCase, unknown, unknown>> {
  await using oracle = startOracle({ command, timeout: '30s' })
  return await compareWithOracle<PatternCase, unknown, unknown>({
    arbitrary: patternCase,
    seed,
    runs,
    theirs: (asked) => oracle.ask(asked),
    ours: ({ pattern, text }) => {
      const compiled = compilePattern(pattern)
      return 'problem' in compiled ? { error: compiled.problem } : { ok: compiled.matches(text) }
    },
  })
}

function isSyntaxError(given: ConditionAnswer): boolean {
  return 'error' in given && given.error.includes('Syntax error:')
}

/** The message up to the detail that is Go's; undefined where it has none. */
function shorten(given: ConditionAnswer): string | undefined {
  return 'error' in given
    ? /^.*(?:ParseAddr\(".*?"\)|invalid qualifier type|found an invalid value for key)/s.exec(
        given.error,
      )?.[0]
    : undefined
}

/** As the oracle answers it. */
export function answer({ expression, parameters, context, maxCost }: ConditionCase): ConditionAnswer {
  try {
    const condition = compileCondition({ name: 'c', expression, parameters })
    const { met, cost, missing } = condition.evaluate([context], { maxCost })
    return { ok: { result: met, cost, missing } }
  } catch (error) {
    if (isZanzibarError(error)) return { error: error.message }
    throw error
  }
}

function readAnswer(value: unknown): ConditionAnswer {
  if (typeof value === 'object' && value !== null) {
    if ('error' in value && typeof value.error === 'string') return { error: value.error }
    if ('ok' in value && typeof value.ok === 'object' && value.ok !== null) {
      const { result, cost, missing = [] } = value.ok as Record<string, unknown>
      if (typeof result === 'boolean' && typeof cost === 'number' && Array.isArray(missing))
        return { ok: { result, cost, missing: missing.map(String) } }
    }
  }
  throw new Error(`the oracle answered ${JSON.stringify(value)}`)
}
