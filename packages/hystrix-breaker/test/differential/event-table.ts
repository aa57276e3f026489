import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface TableRow {
  readonly what: string
  readonly command: object
}

const recorded = join(import.meta.dirname, '../conformance/cases/command.jsonl')

/** The recorded cases whose source is Hystrix's own event lists, without what was expected of them. */
export function eventTable(): TableRow[] {
  return readFileSync(recorded, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"source":"HystrixCommandTest, assertCommandExecutionEvents"'))
    .map((line) => {
      const { id, what, op, options, calls } = JSON.parse(line)
      return { what: `${id}: ${what}`, command: { op, options, calls } }
    })
}
