import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { type Backing, transactional } from './ours.ts'
import { point } from './points.ts'
import type { Books, Transfer } from './transfer.ts'

export function onSqlite(path: string, lease: number): Backing<DatabaseSync> {
  return { idempotency: transactional(sqliteStore({ database: new Database(path) }), lease), books }
}

/** A database where each statement that writes has a point before and after it. */
class Database extends DatabaseSync {
  override exec(sql: string): void {
    const verb = /\w+/.exec(sql)?.[0].toLowerCase() ?? 'statement'
    point(`${verb}.before`)
    super.exec(sql)
    point(`${verb}.after`)
  }

  override prepare(sql: string): StatementSync {
    const statement = super.prepare(sql)
    const { run } = statement
    const verb = /\w+/.exec(sql)?.[0].toLowerCase() ?? 'statement'
    statement.run = (...given: unknown[]) => {
      point(`${verb}.before`)
      const changes: ReturnType<typeof run> = Reflect.apply(run, statement, given)
      point(`${verb}.after`)
      return changes
    }
    return statement
  }
}

const books: Books<DatabaseSync> = {
  async debit(tx, transfer, fence) {
    tx.prepare('UPDATE account SET balance = balance - ? WHERE tenant = ?').run(
      transfer.amount,
      transfer.tenant,
    )
    write(tx, 'debit', transfer, fence)
  },
  finish: async (tx, transfer, fence) => write(tx, 'done', transfer, fence),
}

function write(tx: DatabaseSync, kind: string, { tenant, key, amount }: Transfer, fence: number): void {
  tx.prepare('INSERT INTO ledger (tenant, key, kind, amount, fence) VALUES (?, ?, ?, ?, ?)').run(
    tenant,
    key,
    kind,
    amount,
    fence,
  )
}
