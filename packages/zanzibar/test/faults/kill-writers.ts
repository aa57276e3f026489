import { DatabaseSync } from 'node:sqlite'
import { type Child, startChild } from '@loadbearing/harness/faults'
import { Ledger } from './ledger.ts'
import { openStore } from './open-store.ts'
import { isSaid, type Said } from './unit.ts'

/** What a campaign came to. */
export interface Killed {
  readonly kills: number
  readonly answered: number
  readonly refused: number
  /** Writes that nobody was answered, of which some are there, wholly. */
  readonly revisions: number
  readonly violations: readonly string[]
}

const writer = new URL('programs/writer.ts', import.meta.url)

/**
 * Kills processes that write to one store, in the middle of whatever they do, and looks each time that every write is there
 * wholly or not at all, and every answered one is there. In every third round the two write the same tuples.
 */
export async function killWriters(
  address: string,
  { kills, random }: { readonly kills: number; readonly random: () => number },
): Promise<Killed> {
  await using opened = await openStore(address)
  const { id } = await opened.store.createStore('faults')
  const ledger = new Ledger(opened.store, id)
  const said: Said[] = []
  const violations: string[] = []
  let killed = 0
  for (let round = 0; killed < kills; round++) {
    const names = round % 3 === 2 ? ['both', 'both'] : ['one', 'other']
    const children = await Promise.all(
      names.map((name) =>
        startChild(writer, { args: [address, id, name, String(ledger.nextOf(name, said)), '1'] }),
      ),
    )
    const heard = children.map((child) => listen(child, said))
    for (let left = Math.floor(random() * 12); left >= 0; left--)
      await Promise.race(heard.map((one) => one.next()))
    await Promise.all(children.map((child) => child.kill()))
    await Promise.all(heard.map((one) => one.ended))
    killed += children.length
    violations.push(...(await ledger.violations(said)), ...damage(address))
    // What was looked at stays as it is: only the names and their last units are needed.
    if (violations.length > 0) break
  }
  return {
    kills: killed,
    answered: said.filter(({ revision }) => revision !== undefined).length,
    refused: said.filter(({ refused }) => refused !== undefined).length,
    revisions: ledger.revision,
    violations,
  }
}

/** Takes down what a child says, until it ends. */
function listen(child: Child, said: Said[]): { next(): Promise<void>; readonly ended: Promise<void> } {
  const waiting: (() => void)[] = []
  const ended = (async () => {
    try {
      for (;;) {
        const message = await child.message(undefined, { within: '60s' })
        if (isSaid(message)) said.push(message)
        waiting.shift()?.()
      }
    } catch {
      // It was killed.
      for (const settle of waiting) settle()
    }
  })()
  return { ended, next: () => new Promise((resolve) => waiting.push(resolve)) }
}

function damage(address: string): readonly string[] {
  if (address.startsWith('postgres')) return []
  const database = new DatabaseSync(address)
  const rows = database.prepare('PRAGMA integrity_check').all()
  database.close()
  const found = rows.map((row) => String(row['integrity_check']))
  return found.join() === 'ok' ? [] : found
}
