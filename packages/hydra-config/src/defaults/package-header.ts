import { HydraConfigError } from '../errors.ts'

/** How much of a config Hydra reads for its header, in characters. */
const headerLength = 512

/**
 * The package of `# @package name`, in the lines before anything else than blank lines and such comments.
 * @throws {HydraConfigError} `INVALID_HEADER`
 */
export function packageHeader(path: string, text: string): string | undefined {
  const head = Array.from(text.slice(0, 2 * headerLength))
    .slice(0, headerLength)
    .join('')
  let found: string | undefined
  for (const each of head.split(/\r\n|[\n\r\u0085\u2028\u2029]/)) {
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
        { class: 'ValueError' },
      )
    }
    if (key === '@package') found = value?.trim()
  }
  return found
}
