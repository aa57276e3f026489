export { type CompareOptions, type ComparisonResult, compare, type Measured, type Spread } from './compare.ts'
export { type Prepare, type Prepared, serveSubject } from './serve-subject.ts'
export type { CommandSubject, ModuleSubject, Subject } from './subject.ts'
export { formatTable, type Table, tableOf } from './table.ts'
