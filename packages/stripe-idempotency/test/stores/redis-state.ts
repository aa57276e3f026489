import type { Redis } from 'ioredis'

const states: Readonly<Record<string, string>> = { c: 'claimed', d: 'completed', u: 'uncertain' }

/** The state of a record in Redis, as its first character says; empty where there is none. */
export async function stateIn(client: Redis, key: string): Promise<string> {
  return states[await client.getrange(key, 0, 0)] ?? ''
}

/** How often each command was called since the last reset. */
export async function commandsOf(client: Redis): Promise<ReadonlyMap<string, number>> {
  const lines = (await client.info('commandstats')).matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)
  return new Map(lines.map(([, name = '', calls]) => [name, Number(calls)]))
}
