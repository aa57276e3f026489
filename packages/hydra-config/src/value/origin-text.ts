import type { Origin } from './value.ts'

/** An origin as messages name it: `/srv/app/conf/db/pg.yaml:3:7`, or the override. */
export function originText(origin: Origin): string {
  if (origin.kind === 'file') {
    const source = origin.source.replace(/^file:\/\//, '')
    const separator = source.endsWith('/') ? '' : '/'
    return `${source}${separator}${origin.config}.yaml:${origin.line}:${origin.column}`
  }
  if (origin.kind === 'override') return `override '${origin.text}'`
  if (origin.kind === 'env') return `environment variable ${origin.name}`
  return origin.kind === 'code' ? 'the program' : 'a default of the schema'
}
