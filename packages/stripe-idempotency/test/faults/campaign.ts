import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '@loadbearing/harness/faults'
import { type Circumstances, type Seen, type Violation, violationsOf } from './checks.ts'
import { ask, type Request, requests } from './client.ts'
import { type FaultName, Nemesis } from './nemesis.ts'
import { Operator } from './operator.ts'
import { seeded } from './seeded.ts'
import { openingBalance, Stand, tenants } from './stand.ts'
import type { Stage } from './stores/stage.ts'

export interface CampaignOptions {
  readonly seed: number
  readonly stage: Stage
  /** Who carries transfers out: `ours`, or one of the ways that are known to fail. Default: `ours`. */
  readonly variant?: string
  /** For each of two tenants, who use the same keys. */
  readonly transfers: number
  /** Default: all. */
  readonly faults?: readonly FaultName[]
  /** Where servers die, and nowhere else. Default: at sites of all phases, and without any warning. */
  readonly diesAt?: string | undefined
  /** Milliseconds. */
  readonly lease?: number
  /** How often a client asks before it gives up. Default: 60. */
  readonly tries?: number
  /** The part of all calls in which the bank misbehaves. Default: 0.3. */
  readonly bankFaults?: number
}

/** What a campaign did and saw. */
export interface Campaign {
  readonly violations: readonly Violation[]
  readonly seen: Seen
  readonly faults: Readonly<Partial<Record<FaultName, number>>>
  readonly kills: number
  /** Where servers died of a crash point. */
  readonly crashes: readonly string[]
}

const clientsAtOnce = 8

/** A choice of places where a server may be told to die; {@link sweep} goes through all there are. */
const crashSites: readonly string[] = [
  'request/received',
  'claim/set.before',
  'claim/set.after',
  'handler/eval.before',
  'handler/eval.after',
  'handler/evalsha.before',
  'handler/evalsha.after',
  'claim/insert.before',
  'claim/with.after',
  'claim/evalsha.after',
  'debited/begin.after',
  'debited/update.after',
  'debited/insert.after',
  'debited/commit.before',
  'debited/commit.after',
  'debited/evalsha.before',
  'debited/eval.before',
  'debited/eval.after',
  'credited/bank.before',
  'credited/bank.headers',
  'credited/bank.after',
  'credited/evalsha.after',
  'credited/with.before',
  'credited/with.after',
  'done/insert.before',
  'done/with.after',
  'done/commit.before',
  'done/commit.after',
  'done/eval.after',
  'done/evalsha.before',
  'elsewhere/commit.before',
  'elsewhere/bank.after',
  'elsewhere/eval.after',
  'reply/settled',
  'request/sent',
]

/** Transfers money from accounts here to a bank, and to savings, by clients that ask until they are answered, while everything breaks. */
export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  const { seed, stage, variant = 'ours', transfers, faults, diesAt, tries = 60, bankFaults = 0.3 } = options
  const isOurs = variant === 'ours'
  await using stand = await Stand.start({
    stage,
    seed,
    variant,
    completes: isOurs,
    lease: options.lease,
    bank: { faults: bankFaults },
    crashAt: diesAt && `${diesAt}:1`,
  })
  const asked = requests(transfers, stage)
  const nemesis = new Nemesis(stand, { seed, faults, sites: crashSites, diesAt })
  const operator = new Operator(stage, asked, () => stand.bankLog)
  await using _ = attending(operator)
  await clients(stand, asked, seeded(seed), tries)
  await nemesis.end()
  // What was answered before must be known after it.
  if (faults === undefined || faults.includes('store killed')) await nemesis.killStore()
  await stand.heal()
  // What is left after that is a violation, and will be found as one.
  if (isOurs) await rest(stage, operator)
  // Whoever asks when all is well again is answered as before.
  const urls = stand.places.map(({ front }) => front.url)
  await Promise.all(asked.map((each) => ask(each, urls, seeded(seed), isOurs ? tries : 3)))
  const seen = await look(stand, asked, operator, isOurs)
  const circumstances: Circumstances = {
    retention: stand.retention,
    transactional: stage.kind !== 'redis',
  }
  return {
    violations: violationsOf(seen, circumstances),
    seen,
    faults: nemesis.faults,
    kills: nemesis.kills,
    crashes: nemesis.crashes,
  }
}

async function clients(
  stand: Stand,
  asked: readonly Request[],
  random: () => number,
  tries: number,
): Promise<void> {
  const urls = stand.places.map(({ front }) => front.url)
  const queue = asked.values()
  const client = async (): Promise<void> => {
    for (const each of queue) {
      // The same twice at the same time, and once more afterwards.
      await Promise.all([ask(each, urls, random, tries), ask(each, urls, random, tries)])
      await ask(each, urls, random, tries)
    }
  }
  await Promise.all(Array.from({ length: clientsAtOnce }, client))
}

/** Somebody who looks at what is uncertain now and then. */
export function attending(operator: Operator): AsyncDisposable {
  const over = new AbortController()
  const ended = (async () => {
    while (!over.signal.aborted) {
      // The store may be gone: he looks again.
      await operator.round().catch(() => {})
      await pause(500, undefined, { signal: over.signal }).catch(() => {})
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      over.abort()
      await ended
    },
  }
}

/** Until nobody holds anything any longer: who waits for that are the completers, and the operator for what is in doubt. */
export async function rest(stage: Stage, operator: Operator): Promise<void> {
  const settled = async (): Promise<boolean> => {
    await operator.round()
    return (await open(stage)).every(({ awaitsClient }) => awaitsClient)
  }
  await eventually(settled, { within: '40s', every: '100ms' }).catch(() => {})
}

async function open(
  stage: Stage,
): Promise<readonly (Seen['open'][number] & { readonly awaitsClient: boolean })[]> {
  const claimed = await stage.store.list({ limit: 10_000, state: 'claimed' })
  const uncertain = await stage.store.list({ limit: 10_000, state: 'uncertain' })
  return [...claimed, ...uncertain].map(({ scope, state, why, operation }) => ({
    tenant: scope,
    state,
    why,
    // Nobody completes what a handler has begun: whoever asks for it next finds out.
    awaitsClient: state === 'claimed' && operation === null,
  }))
}

export async function look(
  stand: Stand,
  asked: readonly Request[],
  operator: Operator,
  isOurs = true,
): Promise<Seen> {
  const { entries, balance } = await stand.stage.look()
  return {
    asked,
    ledger: entries,
    before: tenants.length * openingBalance,
    after: balance,
    bank: stand.bankLog,
    open: isOurs ? await open(stand.stage) : [],
    doubts: operator.doubts,
  }
}
