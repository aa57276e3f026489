import { parseArguments } from './arguments.ts'

/**
 * What a line that is to be completed says of where the configs are: its Python file and its flags. An app knows that
 * of itself, and Hydra reads it from no line; the command for any folder has it from there alone.
 */
export function linePlaces(argv: readonly string[], line: string): readonly string[] {
  if (!argv.some((each) => each.startsWith('query='))) return []
  const words = line
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(1)
  const file = words.find((word) => word.endsWith('.py') && !word.includes('='))
  const parsed = parseArguments(words)
  if (parsed.kind !== 'arguments') return file === undefined ? [] : [file]
  const { configPath, configName, configDir } = parsed.arguments
  const flags = [
    ['--config-path', configPath],
    ['--config-name', configName],
    ['--config-dir', configDir],
  ] as const
  return [
    ...(file === undefined ? [] : [file]),
    ...flags.flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
  ]
}
