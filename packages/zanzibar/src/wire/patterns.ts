import type { Pattern } from './protobuf-json/scalars.ts'

// As `openfga/api:openfga/v1/*.proto` has them. `\s` is RE2's, which is ASCII; counts are of code points, hence `u`.
// Each is linear on any input.

function pattern(source: string, regExp: RegExp): Pattern {
  return { source, matches: (value) => regExp.test(value) }
}

/** Ids of stores and models. */
export const ulid: Pattern = pattern(
  '^[ABCDEFGHJKMNPQRSTVWXYZ0-9]{26}$',
  /^[ABCDEFGHJKMNPQRSTVWXYZ0-9]{26}$/u,
)
export const type: Pattern = pattern('^[^:#@\\s]{1,254}$', /^[^:#@\t\n\f\r ]{1,254}$/u)
/** Of the changes that are asked for. */
export const changedType: Pattern = pattern('^[^:#\\s]{1,254}$', /^[^:#\t\n\f\r ]{1,254}$/u)
/** Names of relations, conditions, parameters and modules. */
export const relation: Pattern = pattern('^[^:#@\\s]{1,50}$', /^[^:#@\t\n\f\r ]{1,50}$/u)
export const object: Pattern = pattern('^[^\\s]{2,256}$', /^[^\t\n\f\r ]{2,256}$/u)
export const user: Pattern = pattern('^[^\\s]{2,512}$', /^[^\t\n\f\r ]{2,512}$/u)
/** The id of an object, of which only the end is looked at. Without `u`: V8 misses a pair of surrogates at the end. */
export const id: Pattern = pattern('[^#:\\s]+$', /[^#:\t\n\f\r ]$/)
/** The user of a read. */
export const readUser: Pattern = pattern(
  '^[^\\s]{1,511}:[^\\s]{1,511}$',
  /^[^\t\n\f\r ]{1,511}:[^\t\n\f\r ]{1,511}$/u,
)
export const conditionName: Pattern = pattern('^[^\\s]{2,256}$', /^[^\t\n\f\r ]{2,256}$/u)
export const correlationId: Pattern = pattern('^[\\w\\d-]{1,36}$', /^[\w-]{1,36}$/)
export const continuationToken: Pattern = pattern('^$|^[A-Za-z0-9-_]+={0,2}$', /^$|^[A-Za-z0-9_-]+={0,2}$/)
export const storeName: Pattern = pattern(
  '^[a-zA-Z0-9\\s\\.\\-\\/^_&@]{3,64}$',
  /^[a-zA-Z0-9\t\n\f\r .\-/^_&@]{3,64}$/u,
)
export const file: Pattern = pattern('^[a-zA-Z0-9_\\-\\/]{1,100}\\.fga$', /^[a-zA-Z0-9_\-/]{1,100}\.fga$/)
/** Of AuthZEN's subjects and resources. */
export const subjectId: Pattern = pattern('^[^:#@\\s]{1,500}$', /^[^:#@\t\n\f\r ]{1,500}$/u)
export const resourceId: Pattern = pattern('^[^:#@\\s]{1,256}$', /^[^:#@\t\n\f\r ]{1,256}$/u)
