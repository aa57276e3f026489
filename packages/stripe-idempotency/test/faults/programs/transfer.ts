import type { PostgresQuerier } from '@loadbearing/stripe-idempotency/postgres'

/** A request to move money from a local account to the bank. */
export interface Transfer {
  readonly tenant: string
  readonly key: string
  readonly amount: number
}

/** What is done once for each transfer, and by whom. */
export interface Effects {
  /** Takes the money from the local account, in the transaction. */
  debit(tx: PostgresQuerier, transfer: Transfer, fence: number): Promise<void>
  /** Writes down that it is done, in the transaction. */
  finish(tx: PostgresQuerier, transfer: Transfer, fence: number): Promise<void>
  /** @throws where the bank does not answer 200 */
  credit(foreignKey: string, transfer: Transfer, signal?: AbortSignal): Promise<string>
  /** What the bank did for the key, if anything. */
  credited(foreignKey: string): Promise<string | undefined>
}

export function effectsAt(bank: string): Effects {
  const note = async (
    tx: PostgresQuerier,
    kind: string,
    { tenant, key, amount }: Transfer,
    fence: number,
  ): Promise<void> => {
    await tx.query('INSERT INTO ledger (tenant, key, kind, amount, fence) VALUES ($1, $2, $3, $4, $5)', [
      tenant,
      key,
      kind,
      amount,
      fence,
    ])
  }
  return {
    async debit(tx, transfer, fence) {
      await tx.query('UPDATE account SET balance = balance - $1 WHERE tenant = $2', [
        transfer.amount,
        transfer.tenant,
      ])
      await note(tx, 'debit', transfer, fence)
    },
    finish: (tx, transfer, fence) => note(tx, 'done', transfer, fence),
    async credit(foreignKey, transfer, signal) {
      const timeout = AbortSignal.timeout(3000)
      const response = await fetch(`${bank}/credit`, {
        method: 'POST',
        headers: { 'idempotency-key': foreignKey },
        body: JSON.stringify(noteOf(transfer)),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      })
      if (response.status !== 200) throw new Error(`the bank answered ${response.status}`)
      return creditOf(await response.json())
    },
    async credited(foreignKey) {
      const response = await fetch(`${bank}/credit?key=${foreignKey}`, { signal: AbortSignal.timeout(3000) })
      if (response.status === 404) return undefined
      return creditOf(await response.json())
    },
  }
}

function noteOf({ tenant, key, amount }: Transfer): object {
  return { tenant, reference: key, amount }
}

function creditOf(body: unknown): string {
  const credit: unknown = Reflect.get(Object(body), 'credit')
  if (typeof credit === 'string') return credit
  throw new Error('the bank answered without a credit')
}
