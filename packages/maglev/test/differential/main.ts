import { join } from 'node:path'
import { type ComparisonReport, compareWithOracle, formatComparison } from '@loadbearing/harness/oracle'
import { Maglev, type MaglevOptions } from '@loadbearing/maglev'
import { readCampaignOptions } from '@loadbearing/tooling/campaign'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import fc, { type Arbitrary } from 'fast-check'
import * as model from '../model/tables.ts'
import * as arbitrary from './arbitraries.ts'
import { findEnvoy, hostsMax, startEnvoy } from './envoy.ts'
import { buildGoPeer } from './go-peer.ts'
import { hashesOf, kkdaiTable, slotOfKkdai } from './ours.ts'
import { comparePools } from './pool-comparisons.ts'

/** One line of the report. */
interface Row {
  readonly what: string
  readonly against: string
  readonly cases: string
  readonly differed: string
}

const usage = `usage: pnpm differential maglev [--seed N] [--runs N]
  --seed N  the same seed makes the same cases (default: drawn)
  --runs N  cases for each comparison (default 200; a running Envoy gets a twentieth, each of up to 8 clusters)`

const versions = {
  cilium: 'v1.20.2',
  kkdai: 'v0.2.0',
  xxhash: 'v2.3.0',
  murmur3: 'v1.1.0',
  siphash: 'v1.2.3',
}
const shrinkingSteps = 40
const rows: Row[] = []
const skipped: string[] = []
const found = new Map<string, string>()
let failed = false

const options = readCampaignOptions(usage, 200)
if (options !== undefined) await differential(options.seed, options.runs)

async function differential(seed: number, runs: number): Promise<void> {
  console.log(`seed ${seed}, ${runs} runs`)
  await againstEnvoy(seed, Math.max(1, Math.trunc(runs / 20)))
  await againstCilium(seed, runs)
  await againstKkdai(seed, runs)
  await againstModels(seed, runs)
  for (const line of skipped) console.log(`SKIPPED ${line}`)
  recordEvidence(new URL('../..', import.meta.url), 'differential', {
    command: `pnpm differential maglev --seed ${seed} --runs ${runs}`,
    seed,
    versions: Object.fromEntries(found),
    columns: ['What', 'Against', 'Cases', 'Differed'],
    rows: rows.map(({ what, against, cases, differed }) => [what, against, cases, differed]),
    notes: [
      ...skipped.map((line) => `Skipped: ${line}.`),
      'How long ejections last, success rates and slow start take time in Envoy that is not waited for: they are tested with the numbers of its tests and documentation. In Envoy degraded hosts are in no Maglev table: the load that falls to them alone is not seen there.',
      'Katran is GPL: its rules come from a description, and its ring is compared with a model of that description, not with Katran itself.',
      '`dgryski/go-maglev` is not on the Go module proxy: its table is compared with a model of its published behaviour, over a SipHash that is compared with the one it uses.',
    ],
  })
  console.log(
    `${rows.length} comparisons, ${skipped.length} skipped, ${failed ? 'DIFFERENCES FOUND' : 'no unexplained difference'}`,
  )
  if (failed) process.exitCode = 1
}

function note(
  what: string,
  against: string,
  report: ComparisonReport<unknown, unknown, unknown>,
  cases = String(report.cases),
): void {
  const differences = report.differences.reduce((sum, each) => sum + each.cases, 0)
  const known = report.known.filter((each) => each.cases > 0)
  const explained = known.map((each) => `${each.cases}: ${each.reason}`)
  const odd = [...(differences > 0 ? [`${differences} UNEXPLAINED`] : []), ...explained]
  if (report.unanswered.length > 0) odd.push(`${report.unanswered.length} unanswered`)
  rows.push({ what, against, cases, differed: odd.length === 0 ? '0' : odd.join('; ') })
  failed ||= differences > 0 || report.unanswered.length > 0
  console.log(`\n${what}, against ${against}\n${formatComparison(report)}`)
}

function maglevOf(mode: MaglevOptions['mode'] & string, each: arbitrary.TableCase): Maglev {
  const { size, backends, zones, seed, unavailable = [] } = each
  const maglev = new Maglev(backends, {
    mode,
    tableSize: size,
    allowStarved: true,
    ...(zones && { zones }),
    ...(seed !== undefined && { seed }),
  })
  maglev.update({ health: Object.fromEntries(unavailable.map((id) => [id, 'unhealthy'])) })
  return maglev
}

function tableOf(mode: MaglevOptions['mode'] & string, each: arbitrary.TableCase): number[] {
  return [...maglevOf(mode, each).owners()]
}

async function againstEnvoy(seed: number, runs: number): Promise<void> {
  const envoy = await findEnvoy()
  if ('missing' in envoy) {
    skipped.push(`a running Envoy (${envoy.missing})`)
    return
  }
  let clusters = 0
  let slots = 0
  let disagreed = false
  let steps = 0
  const clusterCase = arbitrary.withUnavailable(arbitrary.envoyCase([7, 61, 251, 509, 1021], hostsMax))
  const report = await compareWithOracle({
    arbitrary: fc.array(clusterCase, { minLength: 1, maxLength: 8, size: 'max' }),
    async theirs(cases) {
      // Each step of shrinking starts an Envoy: enough is enough.
      if (disagreed && ++steps > shrinkingSteps) return undefined
      await using running = await startEnvoy(envoy.path, cases)
      found.set('Envoy', running.version)
      const answers = []
      for (const [index, each] of cases.entries()) {
        const { owners, keys } = await running.table(index)
        const key = keys[3] ?? ''
        answers.push({ owners, keys, visits: owners.includes(-1) ? [] : await running.retries(index, key) })
        clusters += 1
        slots += each.size
      }
      return answers
    },
    ours: (cases) => cases.map((each) => ({ each, owners: tableOf('envoy', each) })),
    equal(ours, theirs) {
      if (theirs === undefined) return true
      const agreed = ours.every(({ each, owners }, index) => {
        const their = theirs[index]
        if (their === undefined || owners.join() !== their.owners.join()) return false
        return (
          lookupsAgree(each, their.owners, their.keys) &&
          retriesAgree(each, their.keys[3] ?? '', their.visits)
        )
      })
      disagreed ||= !agreed
      return agreed
    },
    seed,
    runs,
    maxDifferences: 2,
  })
  note(
    'Mode `envoy`: whole tables with weights, zones and unhealthy hosts; keys; retries on other hosts',
    `a running Envoy ${found.get('Envoy') ?? ''}`,
    report,
    `${clusters} clusters, ${slots} slots`,
  )
  for (const { what, cases, report: pools } of await comparePools(envoy.path, seed, runs)) {
    note(what, `a running Envoy ${found.get('Envoy') ?? ''}`, pools, cases)
  }
}

/** Every key finds the host that Envoy sent it to. */
function lookupsAgree(
  each: arbitrary.TableCase,
  owners: readonly number[],
  keys: readonly string[],
): boolean {
  const maglev = maglevOf('envoy', each)
  return keys.every((key, slot) => maglev.lookup(key) === each.backends[owners[slot] ?? -1]?.id)
}

/**
 * Envoy tries attempt 0, 1, 2, … until it meets a host that the request has not visited yet, and gives up the search after as
 * many as it was allowed: so its visits are the distinct hosts of the attempts, in order.
 */
function retriesAgree(each: arbitrary.TableCase, key: string, visits: readonly number[]): boolean {
  if (visits.length === 0) return true
  const maglev = maglevOf('envoy', each)
  const order = [...new Set(Array.from({ length: 200 }, (_, attempt) => maglev.lookup(key, attempt)))]
  return [...new Set(visits)].every((host, at) => each.backends[host]?.id === order[at])
}

async function againstCilium(seed: number, runs: number): Promise<void> {
  const peer = await buildGoPeer(join(import.meta.dirname, 'cilium'), 'cilium')
  if ('missing' in peer) {
    skipped.push(`pkg/maglev of Cilium ${versions.cilium} (${peer.missing})`)
    return
  }
  await using cilium = peer
  found.set('cilium/cilium pkg/maglev', versions.cilium)
  const report = await compareWithOracle({
    arbitrary: arbitrary.ciliumCase,
    theirs: (each) => cilium.ask(each),
    ours: ({ size, seed: hashSeed, backends }) =>
      tableOf('cilium', {
        size,
        seed: hashSeed,
        backends: backends.map((each) => ({ id: arbitrary.ciliumId(each), weight: each.weight })),
      }),
    seed,
    runs,
  })
  note(
    'Mode `cilium`: whole tables, IPv4 and IPv6, weights to 65,535, any seed',
    `Cilium ${versions.cilium}, its own \`pkg/maglev\``,
    report,
  )
}

async function againstKkdai(seed: number, runs: number): Promise<void> {
  const peer = await buildGoPeer(join(import.meta.dirname, 'kkdai'), 'kkdai')
  if ('missing' in peer) {
    skipped.push(`kkdai/maglev ${versions.kkdai} and the hash functions in Go (${peer.missing})`)
    return
  }
  await using go = peer
  found.set('kkdai/maglev', versions.kkdai)
  found.set('cespare/xxhash', versions.xxhash)
  found.set('spaolacci/murmur3', versions.murmur3)
  found.set('dchest/siphash', versions.siphash)
  note(
    "The paper's fill: keys through our fill and SipHash with its offsets and skips",
    `kkdai/maglev ${versions.kkdai}`,
    await compareWithOracle({
      arbitrary: arbitrary.kkdaiCase,
      theirs: ({ size, ids, keys }) => go.ask({ op: 'lookup', size, ids, keys }),
      ours: ({ size, ids, keys }) => {
        const table = kkdaiTable(size, ids)
        return keys.map((key) => table[slotOfKkdai(key, size)])
      },
      seed,
      runs,
    }),
  )
  note(
    'xxHash64, MurmurHash3_x64_128 and SipHash-2-4 of 0 to 300 bytes',
    'cespare/xxhash, spaolacci/murmur3, dchest/siphash',
    await compareWithOracle({
      arbitrary: arbitrary.hashCase,
      theirs: ({ bytes, k0, k1 }) =>
        go.ask({ op: 'hashes', bytes: Buffer.from(bytes).toString('hex'), k0: String(k0), k1: String(k1) }),
      ours: hashesOf,
      seed,
      runs: runs * 10,
    }),
  )
}

async function againstModels(seed: number, runs: number): Promise<void> {
  const compareModel = async (
    what: string,
    cases: Arbitrary<arbitrary.TableCase>,
    mode: MaglevOptions['mode'] & string,
    theirs: (each: arbitrary.TableCase) => model.Owners,
    part = runs,
  ): Promise<void> =>
    note(
      what,
      'brute-force model of the description',
      await compareWithOracle({
        arbitrary: cases,
        ours: (each) => tableOf(mode, each),
        theirs,
        seed,
        runs: part,
      }),
    )
  await compareModel(
    'Mode `envoy`: weights, zones, empty zones, ids in any script',
    arbitrary.envoyCase([7, 17, 61, 1021, 4093], 40),
    'envoy',
    ({ size, backends, zones }) => model.envoyTable(size, backends, zones),
  )
  await compareModel(
    'Mode `envoy` at 655,373 slots',
    arbitrary.envoyCase([655_373], 12),
    'envoy',
    ({ size, backends, zones }) => model.envoyTable(size, backends, zones),
    2,
  )
  for (const version of [1, 2] as const) {
    await compareModel(
      `Mode \`katran-v${version}\`: weights to 65,535, rings to 131,071`,
      arbitrary.katranCase,
      `katran-v${version}`,
      ({ size, backends }) => model.katranTable(version, size, backends),
    )
  }
  await compareModel(
    'Mode `go-maglev`: any size, with and without dead backends',
    arbitrary.goMaglevCase,
    'go-maglev',
    ({ size, backends, unavailable }) => model.goMaglevTable(size, backends, new Set(unavailable)),
  )
}
