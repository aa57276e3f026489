import { inspect } from 'node:util'
import type { ComparisonReport } from './compare.ts'

/** The report in lines for a terminal: the counts, then each difference, known reason and unanswered case. */
export function formatComparison(report: ComparisonReport<unknown, unknown, unknown>): string {
  const { seed, runs, cases, agreed, differences, known, unanswered } = report
  const lines = [
    `${cases} of ${runs} cases (seed ${seed}): ${agreed} agreed, ` +
      `${sum(differences)} differed, ${sum(known)} differed as known, ${unanswered.length} unanswered`,
    ...known.map((one) => `known: ${one.reason} (${counted(one.cases)})`),
    ...unanswered.map((one) => `unanswered: ${show(one.case)}: ${one.error.message}`),
    ...differences.map(
      (one) =>
        `difference at ${show(one.case)}: ours ${show(one.ours)}, theirs ${show(one.theirs)} ` +
        `(${counted(one.cases)} shrunk to this one)`,
    ),
  ]
  return lines.join('\n')
}

function sum(parts: readonly { readonly cases: number }[]): number {
  return parts.reduce((total, { cases }) => total + cases, 0)
}

function counted(cases: number): string {
  return cases === 1 ? '1 case' : `${cases} cases`
}

function show(value: unknown): string {
  if (value instanceof Error) return `threw ${value.name}: ${value.message}`
  const text = inspect(value, { depth: 6, breakLength: Infinity, maxArrayLength: 50, maxStringLength: 500 })
  return text.length <= 1000 ? text : `${text.slice(0, 1000)}…`
}
