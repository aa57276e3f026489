import { type OptionSpec, optionSpecs } from './options.ts'

/**
 * The usage of an app, wrapped as Python's `argparse` wraps it.
 * @param columns width of the terminal
 */
export function usageText(program: string, columns: number): string {
  const width = Math.max(columns - 2, 11)
  const prefix = 'usage: '
  const flags = optionSpecs.map(flagUsage)
  const overrides = '[overrides ...]'
  const whole = [program, ...flags, overrides].join(' ')
  if (prefix.length + whole.length <= width) return `${prefix}${whole}\n`
  if (prefix.length + program.length <= 0.75 * width) {
    const indent = prefix.length + program.length + 1
    const [first = '', ...others] = wrapped([program, ...flags], indent, prefix.length - 1, width)
    return `${prefix}${[first.trimStart(), ...others, ...wrapped([overrides], indent, indent - 1, width)].join('\n')}\n`
  }
  const indent = prefix.length
  const lines = [
    ...wrapped(flags, indent, indent - 1, width),
    ...wrapped([overrides], indent, indent - 1, width),
  ]
  return `${prefix}${[program, ...lines].join('\n')}\n`
}

function flagUsage({ option, names, argument, choices }: OptionSpec): string {
  const [name = ''] = names
  if (argument === 'none') return `[${name}]`
  const value =
    choices === undefined
      ? (option === 'rerun' ? 'experimental-rerun' : name.slice(2)).replaceAll('-', '_').toUpperCase()
      : `{${choices.join(',')}}`
  return argument === 'one' ? `[${name} ${value}]` : `[${name} [${value}]]`
}

/** Lines of at most `width` characters, indented; the first one has `used` characters already. */
function wrapped(parts: readonly string[], indent: number, used: number, width: number): string[] {
  const lines: string[] = []
  let line: string[] = []
  let length = used
  for (const part of parts) {
    if (length + 1 + part.length > width && line.length > 0) {
      lines.push(' '.repeat(indent) + line.join(' '))
      line = []
      length = indent - 1
    }
    line.push(part)
    length += part.length + 1
  }
  if (line.length > 0) lines.push(' '.repeat(indent) + line.join(' '))
  return lines
}
