import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Redis } from 'ioredis'
import { type Backing, plain } from './ours.ts'
import { around } from './points.ts'
import type { Books, Transfer } from './transfer.ts'

/** The savings, where nothing commits together with the record. */
export interface Savings {
  /** Moves the money, whoever has moved it before. @returns a receipt of its own */
  save(transfer: Transfer, holder: { readonly recordId: string; readonly fence: number }): Promise<string>
}

/** @param claims `blindly`: the single command that claims a key claims one that is held as well */
export async function onRedis(
  url: string,
  lease: number,
  claims: 'blindly' | 'once' = 'once',
): Promise<Backing<null> & { readonly savings: Savings }> {
  const client = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 2000, commandTimeout: 3000 })
  client.on('error', () => {})
  const { callBuffer } = client
  client.callBuffer = async (...given: unknown[]): Promise<unknown> => {
    const blind = given[0] === 'SET' && claims === 'blindly'
    const [name, words] = given
    const asked = blind && Array.isArray(words) ? [name, words.slice(0, 2)] : given
    const answered = await around(String(name).toLowerCase(), () => Reflect.apply(callBuffer, client, asked))
    return blind ? null : answered
  }
  const books = redisBooks(url)
  return { idempotency: plain(await redisStore({ client }), lease), books, savings: books }
}

/**
 * Accounts and ledger in Redis. It refuses fences that are lower than one it has seen, or was told: that is how a resource
 * without transactions keeps out who woke too late. A try that was sent twice, by one who lost the answer, counts once.
 */
const entryScript = `
local floor = tonumber(redis.call('HGET', 'fences', ARGV[7]) or '0')
if tonumber(ARGV[5]) < floor then return 'stale' end
if redis.call('SADD', 'tries', ARGV[6]) == 0 then return 'done' end
redis.call('HSET', 'fences', ARGV[7], ARGV[5])
for kind in string.gmatch(ARGV[3], '%a+') do
  if kind == 'debit' then redis.call('DECRBY', 'account:' .. ARGV[1], ARGV[4]) end
  redis.call('RPUSH', 'ledger', cjson.encode({ tenant = ARGV[1], key = ARGV[2], kind = kind, amount = tonumber(ARGV[4]),
    fence = tonumber(ARGV[5]), attempt = ARGV[6] }))
end
if ARGV[8] == 'savings' then redis.call('INCRBY', 'account:savings', ARGV[4]) end
return 'done'
`

export function redisBooks(url: string): Books<null> & Savings {
  // A client must not send it again by itself: it does not know what may be sent twice.
  const redis = new Redis(url, {
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 2000,
    commandTimeout: 1000,
  })
  redis.on('error', () => {})
  const enter = async (
    kinds: string,
    { tenant, key, amount, to }: Transfer,
    fence: number,
    fenced = `${tenant}/${key}`,
  ): Promise<string> => {
    const attempt = randomUUID()
    const outcome = await around('eval', async () => {
      // An error would say that nothing was done, which nobody knows before there is an answer.
      for (;;) {
        try {
          return await redis.eval(entryScript, 0, tenant, key, kinds, amount, fence, attempt, fenced, to)
        } catch {
          await pause(50)
        }
      }
    })
    if (outcome === 'stale') throw new Error(`the fence ${fence} is over`)
    return attempt
  }
  return {
    debit: async (_, transfer, fence) => void (await enter('debit', transfer, fence)),
    finish: async (_, transfer, fence) => void (await enter('done', transfer, fence)),
    // A key that is as new has another record, whose fences begin again.
    save: (transfer, { recordId, fence }) => enter('debit done', transfer, fence, recordId),
  }
}
