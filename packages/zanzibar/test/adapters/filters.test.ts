import { DatabaseSync } from 'node:sqlite'
import { postgres, skipWithout } from '@loadbearing/harness/services'
import { isZanzibarError, openZanzibar, type Zanzibar } from '@loadbearing/zanzibar'
import * as forDrizzle from '@loadbearing/zanzibar/drizzle'
import * as forKysely from '@loadbearing/zanzibar/kysely'
import { and, eq } from 'drizzle-orm'
import { drizzle as drizzleOnPg } from 'drizzle-orm/node-postgres'
import { integer as pgInteger, pgTable, text as pgText } from 'drizzle-orm/pg-core'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import { Kysely, PostgresDialect, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

interface Tables {
  readonly document: { readonly id: string; readonly number: number; readonly topic: string }
}

/** What a query builder finds with a filter on `id`, and with one on the numbers. */
interface Database extends AsyncDisposable {
  visible(user: string, max?: number): Promise<string[]>
  visibleByNumber(user: string): Promise<string[]>
}

const rows = ['1', '2', '3', '4', '5', "o'hara", '%', 'Ünï'].map(
  (id, at) => [id, Number.parseInt(id, 10) || 100 + at, at % 2 === 0 ? 'delays' : 'bags'] as const,
)
const create = 'CREATE TABLE document (id TEXT PRIMARY KEY, number INTEGER NOT NULL, topic TEXT NOT NULL)'
const about = (user: string) => ({ user, relation: 'viewer', type: 'document' }) as const

let zanzibar: Zanzibar
beforeAll(async () => {
  zanzibar = await openZanzibar({
    model: `model
  schema 1.1
type user
type document
  relations
    define viewer: [user, user:*]
`,
  })
  const see = (user: string, ids: readonly string[]) =>
    ids.map((id) => [user, 'viewer', `document:${id}`] as const)
  await zanzibar.write({
    add: [
      ...see('user:anne', ['1', '3', '5']),
      ...see('user:ohara', ["o'hara", '%', 'Ünï']),
      ...see('user:many', ['1', '2', '3', '4']),
    ],
  })
})
afterAll(() => zanzibar[Symbol.asyncDispose]())

function sqlite(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  database.exec(create)
  for (const row of rows) database.prepare('INSERT INTO document VALUES (?, ?, ?)').run(...row)
  return database
}

let server: Awaited<ReturnType<typeof postgres>> | undefined
let schemas = 0
afterAll(() => server?.[Symbol.asyncDispose]())

async function postgresPool(): Promise<{ pool: Pool; end: () => Promise<void> }> {
  server ??= await postgres()
  const schema = `filtered_${process.pid}_${schemas++}`
  const pool = new Pool({ connectionString: server.url, max: 1, options: `-c search_path=${schema}` })
  // The server may end before the last connection has closed.
  pool.on('connect', (client) => client.on('error', () => {}))
  pool.on('error', () => {})
  await pool.query(`CREATE SCHEMA ${schema}`)
  await pool.query(create)
  for (const row of rows) await pool.query('INSERT INTO document VALUES ($1, $2, $3)', [...row])
  return {
    pool,
    async end() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
      await pool.end()
    },
  }
}

/** `node:sqlite` as Kysely's dialect takes a database. */
function forDialect(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(query): SqliteStatement {
      const statement = database.prepare(query)
      const parameters = (given: readonly unknown[]) => given.map((each) => each as string | number)
      return {
        reader: statement.columns().length > 0,
        all: (given) => statement.all(...parameters(given)),
        run: (given) => statement.run(...parameters(given)),
        iterate: (given) => statement.iterate(...parameters(given)),
      }
    },
  }
}

function onKysely(db: Kysely<Tables>, end: () => Promise<void>): Database {
  return {
    async visible(user, max) {
      const filter = await forKysely.objectFilter(zanzibar, {
        ...about(user),
        ...(max === undefined ? {} : { max }),
      })
      const found = await db.selectFrom('document').select('id').where(filter('document.id')).execute()
      return found.map(({ id }) => id)
    },
    async visibleByNumber(user) {
      const filter = await forKysely.objectFilter(zanzibar, { ...about(user), id: Number })
      const found = await db
        .selectFrom('document')
        .select('id')
        .where(({ ref, and: all, eb }) => all([filter(ref('number')), eb('topic', '=', 'delays')]))
        .execute()
      return found.map(({ id }) => id)
    },
    [Symbol.asyncDispose]: end,
  }
}

const databases: Readonly<Record<string, () => Promise<Database>>> = {
  async 'Kysely on node:sqlite'() {
    const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: forDialect(sqlite()) }) })
    return onKysely(db, () => db.destroy())
  },
  async 'Drizzle on node:sqlite'() {
    const database = sqlite()
    const documents = sqliteTable('document', {
      id: text('id').primaryKey(),
      number: integer('number').notNull(),
      topic: text('topic').notNull(),
    })
    const db = drizzle(async (query, parameters) => {
      const statement = database.prepare(query)
      statement.setReturnArrays(true)
      return { rows: statement.all(...parameters.map((each) => each as string | number)) }
    })
    return {
      async visible(user, max) {
        const filter = await forDrizzle.objectFilter(zanzibar, {
          ...about(user),
          ...(max === undefined ? {} : { max }),
        })
        const found = await db.select({ id: documents.id }).from(documents).where(filter(documents.id))
        return found.map(({ id }) => id)
      },
      async visibleByNumber(user) {
        const filter = await forDrizzle.objectFilter(zanzibar, { ...about(user), id: Number })
        const found = await db
          .select({ id: documents.id })
          .from(documents)
          .where(and(filter(documents.number), eq(documents.topic, 'delays')))
        return found.map(({ id }) => id)
      },
      async [Symbol.asyncDispose]() {
        database.close()
      },
    }
  },
}

const onPostgres: typeof databases = {
  async 'Kysely on PostgreSQL'() {
    const { pool, end } = await postgresPool()
    return onKysely(new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), end)
  },
  async 'Drizzle on PostgreSQL'() {
    const { pool, end } = await postgresPool()
    const documents = pgTable('document', {
      id: pgText('id').primaryKey(),
      number: pgInteger('number').notNull(),
      topic: pgText('topic').notNull(),
    })
    const db = drizzleOnPg(pool)
    const idsOf = (found: readonly { id: string }[]) => found.map(({ id }) => id)
    return {
      async visible(user, max) {
        const filter = await forDrizzle.objectFilter(zanzibar, {
          ...about(user),
          ...(max === undefined ? {} : { max }),
        })
        return idsOf(await db.select({ id: documents.id }).from(documents).where(filter(documents.id)))
      },
      async visibleByNumber(user) {
        const filter = await forDrizzle.objectFilter(zanzibar, { ...about(user), id: Number })
        return idsOf(
          await db
            .select({ id: documents.id })
            .from(documents)
            .where(and(filter(documents.number), eq(documents.topic, 'delays'))),
        )
      },
      [Symbol.asyncDispose]: end,
    }
  },
}

function suite(open: () => Promise<Database>): void {
  test('finds the rows that the user may see, and no others', async () => {
    await using database = await open()
    expect((await database.visible('user:anne')).toSorted()).toEqual(['1', '3', '5'])
    expect((await database.visible('user:ohara')).toSorted()).toEqual(['%', "o'hara", 'Ünï'])
    expect(await database.visible('user:nobody')).toEqual([])
    // Beside a condition of the query's own, on a column of numbers.
    expect((await database.visibleByNumber('user:many')).toSorted()).toEqual(['1', '3'])
  })

  test('as many as max is all, one more is an error and never a shorter list', async () => {
    await using database = await open()
    expect(await database.visible('user:many', 4)).toHaveLength(4)
    const error: unknown = await database.visible('user:many', 3).catch((thrown: unknown) => thrown)
    expect(isZanzibarError(error) && error.code).toBe('exceeded_entity_limit')
    expect(error).toMatchObject({ message: expect.stringContaining('to more than 3 objects') })
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('max %s is refused', async (max) => {
    await using database = await open()
    await expect(database.visible('user:anne', max)).rejects.toMatchObject({ code: 'invalid_option' })
  })
}

describe.each(Object.entries(databases))('%s', (_, open) => {
  suite(open)
})
describe.skipIf(skipWithout('postgres')).each(Object.entries(onPostgres))('%s', (_, open) => {
  suite(open)
})
