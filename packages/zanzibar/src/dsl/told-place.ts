import type { Problem } from '../model/lint-model.ts'

export interface Place {
  readonly line: number
  readonly column: number
}

/**
 * Where OpenFGA's tools say that a problem is (`openfga/language:pkg/js/util/exceptions.ts`): they look for the line of the
 * definition, and in it for the first of the words at fault, be it that another thing has the same name; the beginning of the
 * line where these are not there so. Undefined where they find no line.
 */
export function toldPlaces(model: string): (problem: Problem) => Place | undefined {
  const lines = model.split('\n')
  const spaced = lines.map(singleSpaced)
  return (problem) => {
    const line = lineOf(spaced, problem)
    const text = lines[line]
    return text === undefined ? undefined : { line, column: columnIn(text, problem) }
  }
}

/** @param lines without spaces that say nothing */
function lineOf(lines: readonly string[], { kind, symbol, subject }: Problem): number {
  if (subject.of === 'model') return none
  if (subject.of === 'schema') {
    const pattern = new RegExp(`^schema ${symbol}$`)
    return symbol === ''
      ? 0
      : Math.max(
          0,
          lines.findIndex((line) => pattern.test(line)),
        )
  }
  if (subject.of === 'condition') {
    const pattern = new RegExp(`^condition ${subject.condition}\\s*\\(`)
    return lines.findIndex((line) => pattern.test(line))
  }
  if (subject.of === 'type') return lineOfType(lines, subject.type)
  // For a repeated restriction it is the type of the user behind which they look.
  const isRepeated = kind === 'duplicated-error' && subject.of === 'part' && subject.part === 'restriction'
  const above = lineOfType(lines, isRepeated ? symbol.split(/[:# ]/, 1).join() : subject.type)
  const pattern = new RegExp(`^define ${subject.relation}\\s*:`)
  return above === none ? none : lines.findIndex((line, at) => at >= above && pattern.test(line))
}

const none = -1

function lineOfType(lines: readonly string[], type: string): number {
  const pattern = new RegExp(`^type ${type}\\s*(?:#.*)?$`)
  return lines.findIndex((line) => pattern.test(line))
}

function singleSpaced(line: string): string {
  return line.trim().replaceAll(/ {2,}/g, ' ')
}

// The names of the DSL have no characters that a pattern would take amiss but `.`, and `:*` of a wildcard, as they do there.
function columnIn(text: string, { kind, symbol }: Problem): number {
  const word = new RegExp(`\\b${symbol}\\b`)
  if (kind === 'tupleuserset-not-direct') {
    const after = text.indexOf('from') + 'from'.length
    return after + text.slice(after).indexOf(symbol)
  }
  if (kind !== 'invalid-type') return Math.max(0, text.search(word))
  // Between the first two colons only.
  const [name = '', definition = ''] = text.split(':')
  return name.length + 1 + definition.search(word)
}
