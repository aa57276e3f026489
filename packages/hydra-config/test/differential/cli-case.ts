/** A folder of configs, a command line, and variables of its environment. */
export interface CliCase {
  readonly files: Readonly<Record<string, string>>
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** The same folder with one command line after the other, their words divided by blanks. */
export function casesOf(files: CliCase['files'], lines: readonly string[]): readonly CliCase[] {
  return lines.map((line) => ({
    files,
    argv: line.split(' ').filter((word) => word !== ''),
    environment: {},
  }))
}
