import { HydraConfigError } from '../errors.ts'
import { shown } from '../shown.ts'
import type { ValueConfig } from '../source/value-files.ts'
import type { ConfigFile, Value } from '../value/value.ts'

/** Reads a config with its header. */
export function readConfig(
  text: string,
  file: ConfigFile,
  yaml: (text: string, file: ConfigFile) => Value,
): ValueConfig {
  if (typeof text !== 'string') {
    throw new HydraConfigError('SOURCE_READ', `the config '${file.config}' is no text but ${shown(text)}`)
  }
  const header = packageHeader(text, file)
  return { header, value: yaml(text, file) }
}

/** How much of a config Hydra reads for its header, in characters. */
const headerLength = 512

/**
 * The package of `# @package name`, in the lines before anything else than blank lines and such comments.
 * @throws {HydraConfigError} `INVALID_HEADER`
 */
function packageHeader(text: string, file: ConfigFile): string | undefined {
  const hash = text.indexOf('#')
  if (hash === -1 || text.slice(0, hash).trim() !== '') return undefined
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
      const bare = line.replace(/^#+/, '').trim()
      throw new HydraConfigError(
        'INVALID_HEADER',
        parts.length < 2
          ? `Expected header format: KEY VALUE, got '${bare}'`
          : `Too many components in '${bare}'`,
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
