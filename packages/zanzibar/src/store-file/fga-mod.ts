import type { Document, Node } from 'yaml'
import { type Position, ZanzibarError } from '../errors.ts'

/** What `fga.mod` says. */
export interface ModFile {
  /** Always 1.2. */
  readonly schema: string
  /** The files of the modules, beside `fga.mod` or below it. */
  readonly contents: readonly string[]
}

/**
 * Reads an `fga.mod` file, as `openfga/language`'s `transformModFileToJSON` does. Needs the package `yaml`.
 *
 * @throws {@link ZanzibarError} `invalid_syntax` with all that is wrong in `positions`; a file outside of its folder is refused
 */
export async function readFgaMod(text: string): Promise<ModFile> {
  const { isSeq, isScalar, LineCounter, parseDocument } = await import('yaml')
  const lines = new LineCounter()
  const document: Document = parseDocument(text, { lineCounter: lines })
  const positions: Position[] = []
  const refuse = (message: string, range?: readonly [number, number, ...number[]] | null): void => {
    const [start, end] = (range ?? [0, 0])
      .slice(0, 2)
      .map((offset) => (range ? lines.linePos(offset) : undefined))
    positions.push({
      kind: 'validation',
      message,
      line: { start: (start?.line ?? 1) - 1, end: (end?.line ?? 1) - 1 },
      column: { start: (start?.col ?? 1) - 1, end: (end?.col ?? 1) - 1 },
    })
  }
  for (const { message, pos } of document.errors) refuse(message, pos)
  const node = (key: string): Node | undefined => {
    const found: unknown =
      document.contents !== null && 'get' in document.contents ? document.get(key, true) : undefined
    return found as Node | undefined
  }
  const schema = node('schema')
  if (schema === undefined) refuse('missing schema field')
  else if (!isScalar(schema) || typeof schema.value !== 'string') {
    refuse(`unexpected schema type, expected string got value ${String(schema)}`, schema.range)
  } else if (schema.value !== '1.2') {
    refuse('unsupported schema version, fga.mod only supported in version `1.2`', schema.range)
  }
  const contents = node('contents')
  const files: string[] = []
  if (contents === undefined) refuse('missing contents field')
  else if (!isSeq(contents)) {
    refuse(`unexpected contents type, expected list of strings got value ${String(contents)}`, contents.range)
  } else {
    for (const item of contents.items as readonly Node[]) {
      if (!isScalar(item) || typeof item.value !== 'string') {
        refuse(`unexpected contents item type, expected string got value ${String(item)}`, item.range)
        continue
      }
      const name = item.value.replaceAll(/%2e/gi, '.').replaceAll(/%2f/gi, '/').replaceAll(/%5c/gi, '\\')
      if (name.includes('../') || name.includes('..\\') || name.startsWith('/')) {
        refuse(`invalid contents item ${item.value}`, item.range)
      } else if (!name.endsWith('.fga')) {
        refuse(`contents items should use fga file extension, got ${item.value}`, item.range)
      } else files.push(name)
    }
  }
  if (positions.length > 0) {
    const said = positions.map(
      ({ line, column, message }) => `line ${line.start}, column ${column.start}: ${message}`,
    )
    throw new ZanzibarError('invalid_syntax', `fga.mod cannot be read: ${said.join('; ')}`, { positions })
  }
  return { schema: '1.2', contents: files }
}
