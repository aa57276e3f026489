/** Exceptions by which Python code ends where nobody meant it to: their texts are of no use. */
const crashes =
  /^(AssertionError|AttributeError|RecursionError|TypeError|KeyError|ParserError|IndexError)(?=:|\n|$)[\s\S]*/

const hint = '\nSet the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.\n'

/**
 * What Hydra wrote to standard error without what only Python has: the file and the line of source code of a warning,
 * the frames of a traceback, the module of a class, and of a chain of exceptions all but the last one and its cause.
 */
export function theirStderr(text: string): string {
  const warned = text
    .replace(/^An error occurred during Hydra's exception formatting:\nAssertionError\(\)\n/m, '')
    .replace(/^\S+\.py:\d+: (\w+Warning: )/gm, '$1')
    .replace(
      /^ {2}(?:warnings\.warn|deprecation_warning|main|my_app|_run_hydra|_run_code)?\(?.*\n/gm,
      (line) => (/^ {2}(?:warnings\.warn|deprecation_warning|app|my_app)\(/.test(line) ? '' : line),
    )
  const start = warned.search(/^Traceback \(most recent call last\):\n/m)
  if (start === -1) return warned
  const chain = warned
    .slice(start)
    .split(
      /\n\n(?:The above exception was the direct cause of|During handling of the above exception, another)[^\n]*\n\n/,
    )
  const isCaused =
    /\n\nThe above exception was the direct cause of[^\n]*\n\n(?![\s\S]*\n\nDuring handling of)/.test(
      warned.slice(start),
    )
  const [last = '', before = ''] = chain.toReversed()
  const cause = isCaused ? /^omegaconf\.errors\.\w+: ([\s\S]*)/.exec(exceptionIn(before))?.[1] : undefined
  const [told = '', hinted] = exceptionIn(last).split(hint)
  const named = told.replace(/^(?:\w+\.)+(\w+)/, '$1')
  const shown = named.replace(crashes, '$1\n')
  const causeTold = cause === undefined ? '' : `${cause.replace(/\n*$/, '')}\n`
  return `${warned.slice(0, start)}${shown}${causeTold}${hinted === undefined ? '' : hint}`
}

/** Behind the frames of a traceback. */
function exceptionIn(traceback: string): string {
  const lines = traceback.split('\n')
  const at = lines.findIndex((line, index) => index > 0 && !line.startsWith('  '))
  return lines.slice(at).join('\n')
}

/** What we wrote to standard error without what Hydra does not tell: the place of what is at fault, and the way of a cycle. */
export function ourStderr(text: string): string {
  const bare = text
    .replace(
      /^ {2}at (?:override '[\s\S]*?'(?:, offset \d+)?|\/app\/\S+:\d+:\d+|pkg:\S+:\d+:\d+|a default of the schema)\n/m,
      '',
    )
    .replace(/(Recursive interpolation detected): .* → .*/, '$1')
  const [told = '', hinted] = bare.split(hint)
  const lines = told.split('\n')
  const at = lines.findIndex((line) => crashes.test(line))
  const shown =
    at === -1 ? told : `${[...lines.slice(0, at), lines[at]?.replace(crashes, '$1')].join('\n')}\n`
  return `${shown}${hinted === undefined ? '' : hint}`
}
