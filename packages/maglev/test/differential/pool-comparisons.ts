import { type ComparisonReport, compareWithOracle } from '@loadbearing/harness/oracle'
import { type HashPolicy, hashPolicies, Maglev } from '@loadbearing/maglev'
import fc from 'fast-check'
import { word64 } from '../../src/hash/word64.ts'
import { envoyBound } from '../../src/pool/bounded-load.ts'
import { OutlierDetector } from '../../src/pool/outlier.ts'
import { checkOutlierOptions } from '../../src/pool/outlier-options.ts'
import { priorityLoad } from '../../src/pool/priority.ts'
import { xxh64 } from '../model/hash.ts'
import {
  type BoundedCase,
  boundedOfEnvoy,
  boundedTableSize,
  ejectionsOfEnvoy,
  type OutlierCase,
  type OutlierStep,
  type PolicyAnswer,
  type PolicyCase,
  type PriorityAnswer,
  type PriorityCase,
  policiesOfEnvoy,
  policyHosts,
  policyTableSize,
  prioritiesOfEnvoy,
} from './envoy-pool.ts'

type Report = ComparisonReport<unknown, unknown, unknown>

/** One comparison with a running Envoy. */
export interface PoolComparison {
  readonly what: string
  /** What was compared, as it is counted. */
  readonly cases: string
  readonly report: Report
}

// Each step of shrinking starts an Envoy: enough is enough.
const shrinkingSteps = 40

/** The rules of pools against an Envoy: priorities and panic, hash policies and cookies, bounded load, runs of failures. */
export async function comparePools(path: string, seed: number, runs: number): Promise<PoolComparison[]> {
  return [
    await comparePriorities(path, seed, runs),
    await comparePolicies(path, seed, runs),
    await compareBounded(path, seed, runs),
    await compareOutliers(path, seed, runs),
  ]
}

const level = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)).map(([total, healthy, degraded]) => {
  const up = Math.min(healthy, total)
  return { total, healthy: up, degraded: Math.min(degraded, total - up) }
})
const priorityCase: fc.Arbitrary<PriorityCase> = fc.record({
  levels: fc
    .array(level, { minLength: 1, maxLength: 4 })
    .filter((levels) => levels.some(({ total }) => total > 0) && (levels.at(-1)?.total ?? 0) > 0),
  panicThreshold: fc.oneof(fc.constantFrom(0, 50), fc.nat(100)),
  overProvisioning: fc.oneof(fc.constant(140), fc.integer({ min: 100, max: 250 })),
})

async function comparePriorities(path: string, seed: number, runs: number): Promise<PoolComparison> {
  let clusters = 0
  const report = await compare(fc.array(priorityCase, { minLength: 1, maxLength: 20, size: 'max' }), {
    theirs: (cases) => prioritiesOfEnvoy(path, cases),
    ours: (cases) => cases.map(ourPriorities),
    equal(ours: PriorityAnswer[], theirs, cases) {
      clusters += cases.length
      return cases.every((_each, index) => {
        const [our, their] = [ours[index], theirs[index]]
        return (
          our !== undefined &&
          their !== undefined &&
          our.load.join() === their.load.join() &&
          our.panicked === their.panicked
        )
      })
    },
    seed,
    runs,
  })
  const what = 'Priorities: load of each level and panic, rounded down as the code does'
  return { what, cases: `${clusters} clusters, ${clusters * 100} requests`, report }
}

function ourPriorities({ levels, panicThreshold, overProvisioning }: PriorityCase): PriorityAnswer {
  const { healthy, degraded, panic } = priorityLoad(levels, {
    panicThreshold: panicThreshold / 100,
    overProvisioning: overProvisioning / 100,
    rounding: 'down',
  })
  const all = healthy.map((percent, index) => percent + (degraded[index] ?? 0))
  // Envoy's Maglev tables hold healthy hosts only, unless they are for all: it answers the other keys itself.
  const load = all.map((percent, index) =>
    panic[index] === true || (levels[index]?.healthy ?? 0) > 0 ? percent : 0,
  )
  return {
    load,
    panicked: all.reduce((sum, percent, index) => sum + (panic[index] === true ? percent : 0), 0),
  }
}

const terminal = fc.boolean()
const headerName = fc.constantFrom('x-user', 'x-shop', 'x-absent')
const cookieName = fc.constantFrom('session', 'basket')
const policy: fc.Arbitrary<HashPolicy> = fc.oneof(
  fc.record({ header: fc.oneof(headerName, fc.constantFrom(':path', ':authority')), terminal }),
  fc.record({ cookie: cookieName, terminal }),
  fc.record(
    {
      cookie: cookieName,
      ttl: fc.constantFrom(0, 1000, 3_600_000),
      path: fc.constantFrom('/', '/app'),
      attributes: fc.constant({ SameSite: 'Lax', Secure: '' }),
      terminal,
    },
    { requiredKeys: ['cookie', 'ttl'] },
  ),
  fc.record({ sourceAddress: fc.constant(true as const), terminal }),
  fc.record({ queryParameter: fc.constantFrom('user', 'q'), terminal }),
)
const word = fc
  .string({ unit: fc.constantFrom(...'abc019-_.~%=" é'.split('')), maxLength: 12 })
  .map((text) => text.trim())
const cookieHeader = fc
  .array(
    fc.tuple(
      fc.constantFrom('session', 'basket', 'other', ' session', 'Session', ''),
      fc.constantFrom('=', '="', ''),
      word,
    ),
    {
      maxLength: 3,
    },
  )
  .map((parts) => parts.map(([name, sign, value]) => `${name}${sign}${value}`).join(';'))
  .map((text) => text.trim())
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom('user', 'q', 'User', ''),
      fc.constantFrom('=', ''),
      fc.constantFrom('', '7', 'a=b', '%C3%A9', '?'),
    ),
    {
      maxLength: 4,
    },
  )
  .map((parts) => (parts.length === 0 ? '' : `?${parts.map((each) => each.join('')).join('&')}`))
const policyCase: fc.Arbitrary<PolicyCase> = fc.record({
  policies: fc.array(policy, { minLength: 1, maxLength: 4 }),
  requests: fc.array(
    fc.record({
      headers: fc.record(
        { 'x-user': fc.array(word, { minLength: 1, maxLength: 3 }), 'x-shop': word, cookie: cookieHeader },
        { requiredKeys: [] },
      ),
      query,
    }),
    { minLength: 1, maxLength: 8, size: 'max' },
  ),
})

async function comparePolicies(path: string, seed: number, runs: number): Promise<PoolComparison> {
  let requests = 0
  const report = await compare(fc.array(policyCase, { minLength: 1, maxLength: 20, size: 'max' }), {
    theirs: (cases) => policiesOfEnvoy(path, cases),
    ours: (cases) => cases,
    equal(_, theirs: PolicyAnswer[][], cases) {
      return cases.every((each, index) =>
        each.requests.every((_request, at) => {
          const answer = theirs[index]?.[at]
          requests++
          return answer !== undefined && policyAgrees(each, index, at, answer)
        }),
      )
    },
    seed,
    runs,
  })
  return {
    what: 'Hash policies: the host of each request, and the cookies given',
    cases: `${requests} requests`,
    report,
  }
}

const policyTable = new Maglev(
  Array.from({ length: policyHosts }, (_, host) => `host-${host}`),
  { mode: 'envoy', tableSize: policyTableSize },
)

function policyAgrees(
  { policies, requests }: PolicyCase,
  index: number,
  at: number,
  answer: PolicyAnswer,
): boolean {
  const { headers, query: asked } = requests[at] ?? { headers: {}, query: '' }
  const { key, cookies } = hashPolicies(policies)({
    headers: { host: `127.0.0.1:${answer.local.port}`, ...headers },
    path: `/${index}/${asked}`,
    remote: answer.remote,
    local: answer.local,
  })
  // Without a hash Envoy takes any host.
  const sameHost = key === undefined || policyTable.lookup(key) === `host-${answer.host}`
  return sameHost && cookies.join('\n') === answer.cookies.join('\n')
}

const boundedCase: fc.Arbitrary<BoundedCase> = fc.record({
  weights: fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5 })), {
    minLength: 1,
    maxLength: 12,
  }),
  percent: fc.oneof(fc.constantFrom(100, 125), fc.integer({ min: 100, max: 250 })),
  keys: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), {
    minLength: 10,
    maxLength: 60,
    size: 'max',
  }),
})

async function compareBounded(path: string, seed: number, runs: number): Promise<PoolComparison> {
  let requests = 0
  const report = await compare(fc.array(boundedCase, { minLength: 1, maxLength: 8, size: 'max' }), {
    theirs: (cases) => boundedOfEnvoy(path, cases),
    ours: (cases) => cases.map(ourBounded),
    equal(ours, theirs) {
      requests += ours.reduce((sum, hosts) => sum + hosts.length, 0)
      return ours.every((hosts, index) => hosts.join() === theirs[index]?.join())
    },
    seed,
    runs,
  })
  return {
    what: 'Bounded load: the host of each of many open requests',
    cases: `${requests} requests`,
    report,
  }
}

function ourBounded({ weights, percent, keys }: BoundedCase): number[] {
  const table = new Maglev(
    weights.map((weight, host) => ({ id: `host-${host}`, weight })),
    { mode: 'envoy', tableSize: boundedTableSize },
  )
  const sum = weights.reduce((all, weight) => all + weight, 0)
  const active = weights.map(() => 0)
  const utf8 = new TextEncoder()
  return keys.map((key, total) => {
    const primary = Number((table.lookup(key) ?? '').replace('host-', ''))
    const load = { factor: percent / 100, total, active, weights: weights.map((weight) => weight / sum) }
    const host = envoyBound(load, primary, word64(xxh64(utf8.encode(key), 0n)))
    active[host] = (active[host] ?? 0) + 1
    return host
  })
}

const detection = fc.record(
  {
    consecutive_5xx: fc.nat(4),
    consecutive_gateway_failure: fc.nat(4),
    enforcing_consecutive_5xx: fc.constantFrom(0, 100),
    enforcing_consecutive_gateway_failure: fc.constantFrom(0, 100),
    max_ejection_percent: fc.constantFrom(0, 10, 25, 34, 50, 100),
    always_eject_one_host: fc.boolean(),
  },
  { requiredKeys: ['always_eject_one_host'] },
)
const outlierCase: fc.Arbitrary<OutlierCase> = fc.record({
  hosts: fc.integer({ min: 1, max: 6 }),
  detection,
  calls: fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      status: fc.constantFrom(200, 404, 500, 500, 501, 502, 503, 503, 504, 505, 599),
    }),
    { minLength: 20, maxLength: 80, size: 'max' },
  ),
})

async function compareOutliers(path: string, seed: number, runs: number): Promise<PoolComparison> {
  let calls = 0
  const report = await compare(fc.array(outlierCase, { minLength: 1, maxLength: 6, size: 'max' }), {
    theirs: (cases) => ejectionsOfEnvoy(path, cases),
    ours: (cases) => cases,
    equal(_, theirs: OutlierStep[][], cases) {
      return cases.every((each, index) => {
        const steps = theirs[index] ?? []
        calls += steps.length
        return ejectionsAgree(each, steps)
      })
    },
    seed,
    runs,
  })
  return {
    what: 'Outlier detection by runs of failures: who is ejected after each of many answers',
    cases: `${calls} calls`,
    report,
  }
}

/** The detector, told of the calls as Envoy made them, has the same hosts out after each. */
function ejectionsAgree({ hosts, detection: fields }: OutlierCase, steps: readonly OutlierStep[]): boolean {
  const options = Object.entries(fields).map(([name, value]) => [
    name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ])
  const detector = new OutlierDetector(checkOutlierOptions(Object.fromEntries(options)), () => 0)
  const ids = Array.from({ length: hosts }, (_, host) => String(host))
  for (const id of ids) detector.add(id)
  return steps.every(({ host, status, ejected }) => {
    if (host !== undefined) detector.report(String(host), status, 0)
    return ids.filter((id) => detector.ejected(id)).join() === ejected.join()
  })
}

/** As `compareWithOracle`, with an oracle that is dear. */
async function compare<Case, Ours, Theirs>(
  arbitrary: fc.Arbitrary<Case>,
  parts: {
    readonly theirs: (input: Case) => Promise<Theirs>
    readonly ours: (input: Case) => Ours
    readonly equal: (ours: Ours, theirs: Theirs, input: Case) => boolean
    readonly seed: number
    readonly runs: number
  },
): Promise<Report> {
  let disagreed = false
  let steps = 0
  return compareWithOracle<Case, Ours, Theirs | undefined>({
    arbitrary,
    theirs: (input) => (disagreed && ++steps > shrinkingSteps ? undefined : parts.theirs(input)),
    ours: parts.ours,
    equal(ours, theirs, input) {
      if (theirs === undefined) return true
      const agreed = parts.equal(ours, theirs, input)
      disagreed ||= !agreed
      return agreed
    },
    seed: parts.seed,
    runs: parts.runs,
    maxDifferences: 2,
  })
}
