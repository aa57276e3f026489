import type { Pool } from 'pg'
import type { Effects, Transfer } from './transfer.ts'

// Ways to keep idempotency keys that are found in the field, each with its defect. The checks must find every one.

export type Defect = 'get-then-set' | 'no-fence' | 'send-before-store' | 'lease-as-ttl' | 'delete-on-error'

export interface Naive {
  carryOut(transfer: Transfer): Promise<string>
  /** What remains to be done once the answer has been sent. */
  after(transfer: Transfer, answer: string): Promise<void>
}

export async function naive(pool: Pool, effects: Effects, lease: number, defect: Defect): Promise<Naive> {
  await pool.query(
    'CREATE TABLE IF NOT EXISTS naive (tenant text, key text, ends float8, answer text, PRIMARY KEY (tenant, key))',
  )
  const place = ({ tenant, key }: Transfer): unknown[] => [tenant, key]
  const find = async (transfer: Transfer): Promise<{ answer: string | null } | undefined> =>
    (await pool.query('SELECT answer FROM naive WHERE tenant = $1 AND key = $2', place(transfer))).rows[0]
  const store = (transfer: Transfer, answer: string): Promise<unknown> =>
    pool.query(
      `INSERT INTO naive VALUES ($1, $2, 'infinity', $3) ON CONFLICT (tenant, key) DO UPDATE SET answer = excluded.answer, ends = excluded.ends`,
      [...place(transfer), answer],
    )
  const claim = async (transfer: Transfer, takesOver: boolean): Promise<boolean> => {
    const ends = `extract(epoch FROM clock_timestamp()) * 1000 + ${lease}`
    const over = takesOver
      ? `UPDATE SET ends = excluded.ends WHERE naive.answer IS NULL AND naive.ends < extract(epoch FROM clock_timestamp()) * 1000`
      : 'NOTHING'
    const { rowCount } = await pool.query(
      `INSERT INTO naive VALUES ($1, $2, ${ends}) ON CONFLICT (tenant, key) DO ${over}`,
      place(transfer),
    )
    return rowCount === 1
  }
  const work = async (transfer: Transfer): Promise<string> => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      await effects.debit(client, transfer, 0)
      await client.query('COMMIT')
    } finally {
      client.release(true)
    }
    const credit = await effects.credit(`${transfer.tenant}-${transfer.key}`, transfer)
    await effects.finish(pool, transfer, 0)
    return JSON.stringify({ tenant: transfer.tenant, amount: transfer.amount, credit })
  }
  const remove = (transfer: Transfer): Promise<unknown> =>
    pool.query('DELETE FROM naive WHERE tenant = $1 AND key = $2', place(transfer))
  return {
    async carryOut(transfer) {
      // The lease is how long the record lives at all.
      if (defect === 'lease-as-ttl')
        await pool.query(
          'DELETE FROM naive WHERE ends < extract(epoch FROM clock_timestamp()) * 1000 AND answer IS NULL',
        )
      const found = await find(transfer)
      if (typeof found?.answer === 'string') return found.answer
      if (defect !== 'get-then-set' && defect !== 'send-before-store') {
        if (!(await claim(transfer, defect === 'no-fence'))) throw new Error('in use')
      }
      let answer: string
      try {
        answer = await work(transfer)
      } catch (error) {
        if (defect === 'delete-on-error') await remove(transfer)
        throw error
      }
      if (defect !== 'send-before-store') await store(transfer, answer)
      return answer
    },
    async after(transfer, answer) {
      if (defect === 'send-before-store') await store(transfer, answer)
    },
  }
}
