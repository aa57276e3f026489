import { setTimeout as pause } from 'node:timers/promises'
import type { Asked } from './checks.ts'
import type { Transfer } from './programs/transfer.ts'
import { tenants } from './stand.ts'
import type { Stage } from './stores/stage.ts'

/** What clients ask for, and what they were told. */
export interface Request extends Asked {
  readonly answers: string[]
  readonly refusals: string[]
}

/** So many transfers of each of two tenants, who use the same keys: on Redis every second one by a handler. */
export function requests(count: number, { kind }: Pick<Stage, 'kind'>): Request[] {
  return Array.from({ length: count }, (_, n) =>
    tenants.map((tenant, at) =>
      request({
        tenant,
        key: `key-${n}`,
        amount: 1 + ((n * 7 + at * 3) % 50),
        to: kind === 'redis' && n % 2 === 1 ? 'savings' : 'bank',
      }),
    ),
  ).flat()
}

export function request({ tenant, key, amount, to }: Omit<Transfer, 'memo'>): Request {
  return { tenant, key, amount, to, memo: `for ${tenant} alone, ${key}`, answers: [], refusals: [] }
}

/** Asks once. @returns whether it was answered for good */
export async function askOnce(
  { tenant, key, amount, to, memo, answers, refusals }: Request,
  url: string,
  patience = 4000,
): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { connection: 'close' },
      body: JSON.stringify({ tenant, key, amount, to, memo }),
      signal: AbortSignal.timeout(patience),
    })
    const text = await response.text()
    if (response.status === 200) answers.push(text)
    else refusals.push(text)
    return response.status === 200
  } catch {
    // Nobody knows whether it was done: it is asked for again.
    return false
  }
}

/** Asks one server after the other until one answers, or so many times. */
export async function ask(
  each: Request,
  urls: readonly string[],
  random: () => number,
  tries = 60,
): Promise<boolean> {
  for (let tried = 0; tried < tries; tried++) {
    const url = urls[Math.floor(random() * urls.length)] ?? ''
    if (await askOnce(each, url)) return true
    await pause(20 + random() * 80)
  }
  return false
}
