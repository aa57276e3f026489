import { point } from './points.ts'
import type { Transfer } from './transfer.ts'

/** What servers ask of the bank. */
export interface BankClient {
  /** @throws where the bank does not answer 200 */
  credit(foreignKey: string, transfer: Transfer, fence: number, signal?: AbortSignal): Promise<string>
  /** What the bank did for the key: a credit, null for nothing, undefined where it no longer knows. */
  credited(foreignKey: string): Promise<string | null | undefined>
}

const patience = 3000

export function bankClient(url: string): BankClient {
  return {
    async credit(foreignKey, { tenant, key, amount }, fence, signal) {
      const timeout = AbortSignal.timeout(patience)
      point('bank.before')
      const response = await fetch(`${url}/credit`, {
        method: 'POST',
        headers: { 'idempotency-key': foreignKey },
        body: JSON.stringify({ tenant, reference: key, amount, fence }),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      })
      point('bank.headers')
      const body: unknown = await response.json()
      point('bank.after')
      if (response.status !== 200) throw new Error(`the bank answered ${response.status}`)
      return creditOf(body) ?? 'no credit'
    },
    async credited(foreignKey) {
      const response = await fetch(`${url}/credit?key=${foreignKey}`, {
        signal: AbortSignal.timeout(patience),
      })
      if (response.status === 410) return undefined
      if (response.status !== 200 && response.status !== 404)
        throw new Error(`the bank answered ${response.status}`)
      return creditOf(await response.json())
    },
  }
}

function creditOf(body: unknown): string | null {
  const credit: unknown = Reflect.get(Object(body), 'credit')
  return typeof credit === 'string' ? credit : null
}
