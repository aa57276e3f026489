import { ZanzibarError } from '../errors.ts'

const required = ['user_type', 'user_id', 'relation', 'object_type', 'object_id']
const columnNames = new Set([...required, 'user_relation', 'condition_name', 'condition_context'])

/**
 * Tuples of a file as OpenFGA's command exports to and imports from spreadsheets, as what `parseTuples` takes.
 *
 * @throws ZanzibarError `invalid_syntax`
 */
export function readTupleCsv(text: string, place: string): readonly unknown[] {
  const [header, ...rows] = recordsOf(text, place)
  const columns = (header ?? []).map((name) => name.trim())
  const unknown = columns.find((name) => !columnNames.has(name))
  if (unknown !== undefined) throw invalid(place, `has a column '${unknown}' that no tuple has`)
  const missing = required.find((name) => !columns.includes(name))
  if (missing !== undefined) throw invalid(place, `has no column '${missing}'`)
  return rows.map((row, index) => {
    if (row.length !== columns.length)
      throw invalid(place, `has ${row.length} fields in row ${index + 1}, not ${columns.length}`)
    const field = (name: string): string => row[columns.indexOf(name)] ?? ''
    const relation = field('user_relation')
    const user = `${field('user_type')}:${field('user_id')}`
    const name = field('condition_name')
    const context = field('condition_context')
    return {
      user: relation === '' ? user : `${user}#${relation}`,
      relation: field('relation'),
      object: `${field('object_type')}:${field('object_id')}`,
      ...(name !== '' && {
        condition: { name, context: context === '' ? {} : jsonOf(context, place, index + 1) },
      }),
    }
  })
}

function jsonOf(text: string, place: string, row: number): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch (cause) {
    throw new ZanzibarError(
      'invalid_syntax',
      `${place} has a condition_context in row ${row} that is no JSON`,
      {
        cause,
      },
    )
  }
}

/** Records of RFC 4180, without those that are empty lines. */
function recordsOf(text: string, place: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y
  const source = text.replace(/^\uFEFF/, '')
  while (pattern.lastIndex < source.length) {
    const at = pattern.lastIndex
    const found = pattern.exec(source)
    if (found === null)
      throw invalid(place, `has a quote in line ${source.slice(0, at).split('\n').length} that does not fit`)
    const [, quoted, plain = '', end] = found
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === ',' && pattern.lastIndex < source.length) continue
    // A comma at the very end stands before an empty field.
    if (end === ',') record.push('')
    if (record.length > 1 || quoted !== undefined || plain !== '') records.push(record)
    record = []
  }
  return records
}

function invalid(place: string, problem: string): ZanzibarError {
  return new ZanzibarError('invalid_syntax', `${place} ${problem}`)
}
