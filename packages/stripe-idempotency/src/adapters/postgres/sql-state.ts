// PostgreSQL documentation, appendix A.
export const undefinedTable = '42P01'
const serializationFailure = '40001'
const deadlockDetected = '40P01'
const uniqueViolation = '23505'

const causesMax = 8

/** The five characters by which PostgreSQL names an error; undefined where it is not PostgreSQL's. */
export function sqlState(error: unknown): string | undefined {
  const found = serverErrorOf(error) ?? {}
  const code: unknown = Reflect.get(found, 'originalCode') ?? Reflect.get(found, 'code')
  return typeof code === 'string' ? code : undefined
}

/** `pg` and `postgres` name it differently. */
function constraintOf(error: unknown): unknown {
  const found = serverErrorOf(error) ?? {}
  return Reflect.get(found, 'constraint') ?? Reflect.get(found, 'constraint_name')
}

/** Whether it says that there is a record of the key in the table. */
export function isOfKey(error: unknown, table: string): boolean {
  const name = table.slice(table.indexOf('.') + 1)
  return sqlState(error) === uniqueViolation && constraintOf(error) === `${name}_pkey`
}

/** Whether it says that a statement or transaction was rolled back since it met another one, and may be carried out again. */
export function isCollision(error: unknown): boolean {
  const state = sqlState(error)
  return state === serializationFailure || state === deadlockDetected
}

/** The server's own error, which query builders wrap in theirs. That of Prisma says of it what its driver adapter made of it. */
function serverErrorOf(error: unknown): object | undefined {
  let each = error
  for (let depth = 0; depth < causesMax && typeof each === 'object' && each !== null; depth++) {
    const code: unknown = Reflect.get(each, 'code')
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in each) return each
    if ('originalCode' in each) return each
    each = Reflect.get(each, 'cause') ?? Reflect.get(Object(Reflect.get(each, 'meta')), 'driverAdapterError')
  }
  return undefined
}

/** The server ends the connection, as an operator asked or in a crash of its own. */
export function isShutdown(error: unknown): boolean {
  return sqlState(error)?.startsWith('57P') ?? false
}
