import { HydraConfigError } from '../errors.ts'
import type { ConfigFile } from '../value/value.ts'

/** How much of a config Hydra reads for its header, in characters. */
const headerLength = 512

/**
 * The package of `# @package name`, in the lines before anything else than blank lines and such comments.
 * @throws {HydraConfigError} `INVALID_HEADER`
 */
export function packageHeader(path: string, text: string, file: ConfigFile): string | undefined {
  if (!/^\s*#/.test(text.slice(0, headerLength))) return undefined
  const head = firstCharacters(text, headerLength)
  let found: string | undefined
  for (const [index, each] of head.split(/\r\n|[\n\r\u0085\u2028\u2029]/).entries()) {
    const line = each.trim()
    if (line === '') continue
    if (!/^#\s*@/.test(line)) break
    const parts = line
      .replace(/^#+/, '')
      .trim()
      .split(' ')
      .filter((part) => part !== '')
    const [key, value] = parts
    if (parts.length !== 2) {
      throw new HydraConfigError(
        'INVALID_HEADER',
        `the header '${line}' of ${path} must be a key and one value, such as '# @package _global_'`,
        { class: 'ValueError', origin: { kind: 'file', ...file, line: index + 1, column: 1 } },
      )
    }
    if (key === '@package') found = value?.trim()
  }
  return found
}

function firstCharacters(text: string, count: number): string {
  const units = text.slice(0, 2 * count)
  // Where no character takes two units, they are the characters.
  return /[\uD800-\uDFFF]/.test(units) ? Array.from(units).slice(0, count).join('') : units.slice(0, count)
}
