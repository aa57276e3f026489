import { Pool } from 'pg'
import type { BankClient } from './bank-client.ts'
import { postgresBooks } from './on-postgres.ts'
import { point } from './points.ts'
import type { ServerSettings } from './settings.ts'
import { answerTo, type Transfer } from './transfer.ts'

// Ways to keep idempotency keys that are found in the field, each with its defect. The checks must find every one.

const defects = [
  /** Looks for an answer, and does the work where there is none. */
  'get-then-set',
  /** Who takes over an ended lease does it all again, and who wakes too late goes on as well. */
  'lease-without-fence',
  /** Answers, and keeps the answer afterwards. */
  'send-before-store',
  /** The record lives as long as the lease: where a holder is slow or dead, the key is as new. */
  'lease-as-ttl',
  /** An error frees the key, whatever was done before it. */
  'delete-on-error',
  /** Whoever knows the key gets the answer. */
  'key-without-scope',
] as const
type Defect = (typeof defects)[number]

interface Naive {
  readonly carryOut: (transfer: Transfer) => Promise<string>
  readonly after: (transfer: Transfer, answer: string) => Promise<void>
}

export function naive(variant: string, { url, lease }: ServerSettings, bank: BankClient): Naive {
  const defect = defects.find((each) => each === variant)
  if (defect === undefined) throw new Error(`there is no variant ${variant}: ${defects.join(', ')}`)
  const pool = new Pool({ connectionString: url, max: 8, connectionTimeoutMillis: 2000, query_timeout: 3000 })
  pool.on('error', () => {})
  const keys = keysIn(pool, lease, defect)
  return {
    async carryOut(transfer) {
      if (defect === 'lease-as-ttl') await keys.expire()
      const kept = await keys.find(transfer)
      if (kept !== undefined) return kept
      if (defect !== 'get-then-set' && !(await keys.claim(transfer))) throw new Error('in use')
      let answer: string
      try {
        answer = await work(pool, bank, transfer)
      } catch (error) {
        if (defect === 'delete-on-error') await keys.remove(transfer)
        throw error
      }
      if (defect !== 'send-before-store') await keys.keep(transfer, answer)
      return answer
    },
    async after(transfer, answer) {
      if (defect === 'send-before-store') await keys.keep(transfer, answer)
    },
  }
}

async function work(pool: Pool, bank: BankClient, transfer: Transfer): Promise<string> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await postgresBooks.debit(client, transfer, 0)
    await client.query('COMMIT')
  } finally {
    client.release(true)
  }
  point('debited')
  const credit = await bank.credit(`${transfer.tenant}-${transfer.key}`, transfer, 0)
  await postgresBooks.finish(pool, transfer, 0)
  return answerTo(transfer, credit)
}

const now = 'extract(epoch FROM clock_timestamp()) * 1000'

interface Keys {
  find(transfer: Transfer): Promise<string | undefined>
  claim(transfer: Transfer): Promise<boolean>
  keep(transfer: Transfer, answer: string): Promise<void>
  remove(transfer: Transfer): Promise<void>
  expire(): Promise<void>
}

function keysIn(pool: Pool, lease: number, defect: Defect): Keys {
  const place = ({ tenant, key }: Transfer): string[] => [
    defect === 'key-without-scope' ? 'everybody' : tenant,
    key,
  ]
  return {
    async find(transfer) {
      const { rows } = await pool.query(
        'SELECT answer FROM naive WHERE tenant = $1 AND key = $2',
        place(transfer),
      )
      const answer: unknown = rows[0]?.answer
      return typeof answer === 'string' ? answer : undefined
    },
    async claim(transfer) {
      const over =
        defect === 'lease-without-fence' || defect === 'send-before-store'
          ? `UPDATE SET ends = excluded.ends WHERE naive.answer IS NULL AND naive.ends < ${now}`
          : 'NOTHING'
      const { rowCount } = await pool.query(
        `INSERT INTO naive VALUES ($1, $2, ${now} + ${lease}) ON CONFLICT (tenant, key) DO ${over}`,
        place(transfer),
      )
      return rowCount === 1
    },
    async keep(transfer, answer) {
      await pool.query(
        `INSERT INTO naive VALUES ($1, $2, 'infinity', $3)
         ON CONFLICT (tenant, key) DO UPDATE SET answer = excluded.answer, ends = excluded.ends`,
        [...place(transfer), answer],
      )
    },
    async remove(transfer) {
      await pool.query('DELETE FROM naive WHERE tenant = $1 AND key = $2', place(transfer))
    },
    async expire() {
      await pool.query(`DELETE FROM naive WHERE answer IS NULL AND ends < ${now}`)
    },
  }
}
