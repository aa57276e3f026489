/** What is wrong at a place of a source; without a place where it is wrong as a whole. */
export interface Issue {
  /** An index of UTF-16 units. */
  readonly at: number | undefined
  readonly message: string
}

/** More issues than this are only counted. */
const maxIssues = 100

/** All issues as cel-go's messages show them: in the order of the source, each with its line and a mark below it. */
export function formatIssues(name: string, source: string, issues: readonly Issue[]): string {
  const lines = source.split('\n')
  const placed = issues.slice(0, maxIssues).map((issue) => ({ issue, place: placeOf(source, issue.at) }))
  placed.sort((one, other) => one.place.line - other.place.line || one.place.column - other.place.column)
  const shown = placed.map(({ issue, place }) => {
    const header = `ERROR: ${name}:${place.line}:${place.column + 1}: ${issue.message}`
    const line = lines[place.line - 1]
    return line === undefined
      ? header
      : `${header}\n | ${line.replaceAll('\t', ' ')}\n | ${mark(line, place.column)}`
  })
  if (issues.length > maxIssues) shown.push(`${issues.length - maxIssues} more errors were truncated`)
  return shown.join('\n')
}

/** `line` counts from 1 and `column`, in code points, from 0; both are -1 for no place. */
function placeOf(source: string, at: number | undefined): { line: number; column: number } {
  if (at === undefined) return { line: -1, column: -1 }
  const before = source.slice(0, at)
  const start = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: Array.from(before.slice(start)).length }
}

/** Dots up to the column, as wide as the characters above them, and a caret. */
function mark(line: string, column: number): string {
  const characters = Array.from(line)
  const isWide = (character: string | undefined): boolean => character !== undefined && character > '\u007f'
  const dots = characters
    .slice(0, Math.max(column, 0))
    .map((character) => (isWide(character) ? '\uff0e' : '.'))
  return dots.join('') + (isWide(characters[column]) ? '\uff3e' : '^')
}
