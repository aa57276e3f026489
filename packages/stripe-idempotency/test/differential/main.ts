import { type ComparisonReport, compareWithOracle, formatComparison } from '@loadbearing/harness/oracle'
import { memoryStore } from '@loadbearing/stripe-idempotency'
import { type CampaignOptions, readCampaignOptions } from '@loadbearing/tooling/campaign'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { type Api, serveApi, somebodyElse } from './api.ts'
import { calls } from './cases.ts'
import { Contract, type Promised, type Step } from './contract.ts'
import { type Call, clientVersions, type OfficialClient, startClients } from './official-clients.ts'

const usage = `usage: pnpm differential stripe-idempotency [--seed N] [--runs N]
  --seed N  the same seed makes the same calls (default: drawn)
  --runs N  accounts for each client, with up to six calls each (default 500; of fewer nothing is recorded)`

const accountsToRecord = 500

let accounts = 0

const chosen = readCampaignOptions(usage, accountsToRecord)
if (chosen !== undefined) await differential(chosen)

/** The official clients, as they come, against a server of ours: what they tell their callers, held against the contract. */
async function differential(campaign: CampaignOptions): Promise<void> {
  const { seed, runs } = campaign
  console.log(`seed ${seed}, ${runs} runs`)
  const { clients, missing } = startClients()
  for (const why of missing) console.log(`SKIPPED ${why}`)
  const store = memoryStore()
  const api = await serveApi(store)
  try {
    const rows = await Promise.all(clients.map((client) => compareClient(client, api, campaign)))
    if (missing.length > 0) {
      console.log('not every client was there, and no evidence is recorded')
      return
    }
    if (runs < accountsToRecord) return
    recordEvidence(new URL('../..', import.meta.url), 'differential', {
      command: `pnpm differential stripe-idempotency --seed ${seed} --runs ${runs}`,
      seed,
      versions: clientVersions,
      columns: ['Client', 'Accounts', 'Calls', 'Attempts', 'Differed'],
      rows,
      notes: [
        'Each account makes up to six calls with keys that meet again, over v1 and v2: other parameters, other endpoints, failures, refusals, duplicates of what is still at work, with and without retries of the client. Held against the documented contract: status, class of the error, message, id, replay, original request, number of attempts.',
      ],
    })
  } finally {
    for (const client of clients) await client[Symbol.asyncDispose]()
    await api[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
}

/** What a client says on its line. */
type Answer = Readonly<Partial<Record<string, unknown>>>

async function compareClient(
  client: OfficialClient,
  api: Api,
  { seed, runs }: CampaignOptions,
): Promise<(string | number)[]> {
  const sum = { calls: 0, attempts: 0 }
  const report = await compareWithOracle({
    arbitrary: calls,
    ours: async (steps: readonly Step[]) => {
      const told = await tellAll(client, api, steps)
      sum.calls += told.length
      for (const { attempts } of told) sum.attempts += attempts
      return told
    },
    theirs: (steps) => {
      const contract = new Contract(client.name)
      return steps.map((step) => contract.promise(withoutIdleBusy(step, contract)))
    },
    seed,
    runs,
  })
  console.log(`\n${client.name}\n${formatComparison(report)}`)
  return [client.name, report.cases, sum.calls, sum.attempts, oddities(report)]
}

// Somebody else's request is at work only where it would be carried out.
function withoutIdleBusy(step: Step, contract: Contract): Step {
  return contract.isNew(step) && step.deed !== 'refuses' ? step : { ...step, busyFor: 0 }
}

async function tellAll(client: OfficialClient, api: Api, steps: readonly Step[]): Promise<Promised[]> {
  const account = `${client.name}-${++accounts}`
  const contract = new Contract(client.name)
  const firstRequests = new Map<string, string>()
  const told: Promised[] = []
  for (const each of steps) {
    const step = withoutIdleBusy(each, contract)
    contract.promise(step)
    const other = step.busyFor > 0 ? await beginAnother(api, account, step) : undefined
    const before = api.attempts(account)
    const answer = await client.ask({ port: api.port, account, ...callOf(step) })
    const attempts = api.attempts(account) - before
    api.release(account)
    await other?.done
    told.push(toldBy(answer, attempts, step, firstRequests))
  }
  return told
}

function callOf({ method, path, deed, amount, key, retries }: Step): Omit<Call, 'account' | 'port'> {
  const params: Call['params'] = method === 'DELETE' ? {} : { amount: String(amount), description: deed }
  return { method, path, params, retries, ...(key !== undefined && { key }) }
}

/** The same request by somebody else, once its handler has begun. */
async function beginAnother(
  api: Api,
  account: string,
  step: Step,
): Promise<{ readonly done: Promise<unknown> }> {
  const { method, path, params, key = '' } = callOf(step)
  const begun = api.hold(account, step.busyFor)
  const json = path.startsWith('/v2/')
  const done = fetch(`http://127.0.0.1:${api.port}${path}`, {
    method,
    headers: {
      [somebodyElse]: 'yes',
      authorization: `Bearer sk_test_${account}`,
      'idempotency-key': key,
      'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded',
    },
    body: json ? JSON.stringify(params) : new URLSearchParams(params).toString(),
  }).then((response) => response.arrayBuffer())
  await Promise.race([
    begun,
    done.then(() => {
      throw new Error('the other request was answered and not carried out')
    }),
  ])
  return { done }
}

/** In the form of the contract. What is not in it, the ids of requests, is checked here. */
function toldBy(answer: unknown, attempts: number, step: Step, firstRequests: Map<string, string>): Promised {
  const { status, id, failed, message, replayed, request, original }: Answer = Object(answer)
  if (typeof request === 'string' && step.key !== undefined) {
    const identity = `${step.path.slice(0, 3)} ${step.key}`
    const first = replayed === true ? firstRequests.get(identity) : request
    if (first !== undefined && original !== first)
      throw new Error(`Original-Request is ${String(original)}, and the first request was ${first}`)
    if (replayed !== true) firstRequests.set(identity, request)
  }
  return {
    status: Number(status),
    attempts,
    ...(typeof replayed === 'boolean' && { replayed }),
    ...(typeof id === 'string' && { id }),
    ...(typeof failed === 'string' && { failed }),
    ...(typeof message === 'string' && { message }),
  }
}

function oddities(report: ComparisonReport<unknown, unknown, unknown>): string {
  const unexplained = report.differences.reduce((sum, { cases }) => sum + cases, 0)
  if (unexplained === 0 && report.unanswered.length === 0) return '0'
  process.exitCode = 1
  return `${unexplained} UNEXPLAINED, ${report.unanswered.length} unanswered`
}
