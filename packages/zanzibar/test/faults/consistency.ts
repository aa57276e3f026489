import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { postgres } from '@loadbearing/harness/services'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { memoryStore } from '../../src/index.ts'
import { newEnemies } from './new-enemy.ts'
import { openCast } from './open-cast.ts'
import { openStore } from './open-store.ts'
import { type Paged, pageWhileWriting } from './pages.ts'
import { seeded } from './seeded.ts'

export interface ConsistencyOptions {
  readonly seed: number
  /** How often somebody asks too late, of each store. */
  readonly questions: number
  /** How long the list is that is asked for in pages of 100. */
  readonly objects: number
  readonly record: boolean
}

const kinds = ['memory', 'SQLite', 'PostgreSQL'] as const
type Kind = (typeof kinds)[number]

const writers: Readonly<Record<Kind, string>> = {
  memory: 'one store',
  SQLite: 'three connections, two processes',
  PostgreSQL: 'three pools of connections',
}

/** New enemies and pages on every store; whether nothing was wrong. */
export async function consistencyCampaign(options: ConsistencyOptions): Promise<boolean> {
  const { seed, questions, objects, record } = options
  const enemies: (string | number)[][] = []
  const pages: (string | number)[][] = []
  let isClean = true
  for (const kind of kinds) {
    await at(kind, async (address) => {
      if (questions > 0) isClean = (await enemiesOn(kind, address, options, enemies)) && isClean
      if (objects > 0) isClean = (await pagedOn(kind, address, options, pages)) && isClean
    })
  }
  if (record && isClean) {
    const command = `pnpm --filter @loadbearing/zanzibar faults --campaign consistency --seed ${seed} --questions ${questions} --objects ${objects} --record`
    const home = new URL('../..', import.meta.url)
    const versions = { node: process.versions.node }
    if (enemies.length > 0)
      recordEvidence(home, 'consistency', {
        command,
        seed,
        versions,
        columns: [
          'store',
          'writers and readers',
          'rounds',
          'questions with the token of new content',
          'by check',
          'let through before',
          'let through after',
          'revisions behind, without a token',
        ],
        rows: enemies,
        notes: [
          'In each round a user loses the way to a document, and then, caused by that, the document is moved to where he could see it, or gets new content. He asks all the while, half of it where a closure index answers, half of it by `check`, which PostgreSQL answers in one statement, and the rest by `evaluate`.',
          'No store caches revisions: an answer without a token is of a moment that is not before the last answer that anybody had when it was asked for.',
        ],
      })
    if (pages.length > 0)
      recordEvidence(home, 'pages', {
        command,
        seed,
        versions,
        columns: [
          'store',
          'objects',
          'pages of 100',
          'writes meanwhile',
          'a second',
          'missing, twice or too many',
        ],
        rows: pages,
      })
  }
  return isClean
}

async function enemiesOn(
  kind: Kind,
  address: string,
  { seed, questions }: ConsistencyOptions,
  rows: (string | number)[][],
): Promise<boolean> {
  await using opened = await openCast(address, 'enemies')
  const met = await newEnemies(opened.cast, { late: questions, lanes: 8, random: seeded(seed) })
  const { rounds, late, checks, allowed, staleness, violations } = met
  rows.push([kind, writers[kind], rounds, late, checks, allowed, violations.length, staleness])
  tell(`${kind}, new enemies`, { ...met, violations: violations.slice(0, 20) })
  return violations.length === 0 && staleness === 0
}

async function pagedOn(
  kind: Kind,
  address: string,
  options: ConsistencyOptions,
  rows: (string | number)[][],
): Promise<boolean> {
  const paged = await pagesOn(address, options)
  const { objects, pages, writes, seconds, violations } = paged
  rows.push([kind, objects, pages, writes, Math.round(writes / seconds), violations.length])
  tell(`${kind}, pages`, { ...paged, violations: violations.slice(0, 20) })
  return violations.length === 0
}

async function pagesOn(address: string, { seed, objects }: ConsistencyOptions): Promise<Paged> {
  let due: number | undefined
  // Above 100 a second, and those that come late at once.
  const pace = (): Promise<void> => {
    due = (due ?? performance.now()) + 8
    return sleep(Math.max(0, due - performance.now()))
  }
  const options = { name: 'pages', objects, pageSize: 100, random: seeded(seed), pace }
  if (address === 'memory') {
    const store = memoryStore()
    return await pageWhileWriting({ reader: store, writer: store }, options)
  }
  await using reader = await openStore(address)
  await using writer = await openStore(address)
  return await pageWhileWriting({ reader: reader.store, writer: writer.store }, options)
}

async function at(kind: Kind, body: (address: string) => Promise<void>): Promise<void> {
  if (kind === 'memory') return await body('memory')
  if (kind === 'PostgreSQL') {
    await using server = await postgres()
    // What was answered is asked for, not what survives.
    return await body(`${server.url}?options=-c%20synchronous_commit%3Doff`)
  }
  const folder = await mkdtemp(join(tmpdir(), 'zanzibar-'))
  try {
    await body(join(folder, 'store'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

function tell(what: string, result: object): void {
  console.log(`${what}: ${JSON.stringify(result)}`)
}
