import { startChild } from '@loadbearing/harness/faults'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { onPath } from '../test/differential/program.ts'
import {
  bareHttp,
  barePipe,
  command,
  type FrontMaker,
  frontMakers,
  type Kind,
  library,
} from './proxy/fronts.ts'
import { killOne } from './proxy/kill.ts'
import { bulk, type Round, requests } from './proxy/load.ts'

/** A target of the specification as `bench/main.ts` lists it. */
export type Target = (what: string, wanted: string, measured: string, met: boolean) => void

const rounds = 3
const roundSeconds = 1
const bulkSeconds = 1.2
const ownNames: readonly string[] = [library, command]

interface Subject {
  readonly maker: FrontMaker
  readonly kind: Kind
  readonly rounds: Round[]
  readonly mebibytes: number[]
}

/**
 * Our proxies, in a program and as the command, beside bare ones, nginx and HAProxy, the same load in the same run: throughput, and
 * what breaks and moves when one of ten backends is killed. About three minutes.
 */
export async function benchProxy(
  home: URL,
  rerun: string,
  target: Target,
  note: (text: string) => void,
): Promise<void> {
  const notes: string[] = []
  const absent = (what: string): void => {
    notes.push(`SKIPPED: ${what}.`)
    note(`SKIPPED in the proxy benchmark: ${what}.`)
  }
  const makers = await frontMakers(absent)
  const versions = Object.fromEntries(
    makers.filter(({ name }) => !ownNames.includes(name)).map(({ name, version }) => [name, version]),
  )
  const shared = { command: rerun, versions }
  await throughput(home, shared, makers, target, absent, notes)
  await kills(home, shared, makers, target)
}

async function throughput(
  home: URL,
  shared: { command: string; versions: Record<string, string> },
  makers: readonly FrontMaker[],
  target: Target,
  absent: (what: string) => void,
  notes: readonly string[],
): Promise<void> {
  await using backends = await startChild(new URL('./proxy/backends.ts', import.meta.url), {
    ready: /^listening /,
  })
  const ids = (/listening (.*)/.exec(backends.output.stdout)?.[1] ?? '')
    .split(' ')
    .map((port) => `127.0.0.1:${port}`)
  const wrk = (await onPath('wrk')) !== undefined
  if (!wrk) absent('no wrk on PATH, so that requests are not measured, only bytes')
  const subjects: Subject[] = makers.flatMap((maker) =>
    maker.kinds.map((kind) => ({ maker, kind, rounds: [], mebibytes: [] })),
  )
  // Rounds are interleaved, so that whatever else the machine does falls on all of them.
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      await using front = await subject.maker.start(subject.kind, 'any', ids)
      subject.mebibytes.push(await bulk(front, bulkSeconds))
      if (!wrk) continue
      // What starts is not yet compiled.
      await requests(front, roundSeconds)
      subject.rounds.push(await requests(front, roundSeconds))
    }
  }
  const find = (name: string, kind: Kind): Subject | undefined =>
    subjects.find((subject) => subject.maker.name === name && subject.kind === kind)
  const floors: Readonly<Record<Kind, Subject | undefined>> = {
    tcp: find(barePipe, 'tcp'),
    http: find(bareHttp, 'http'),
  }
  const rates = (subject: Subject | undefined): number[] =>
    (subject?.rounds ?? []).map(({ requestsPerSecond }) => requestsPerSecond)
  const rows = subjects.map((subject) => {
    const of = (value: (round: Round) => number, digits: number, unit: string): string =>
      figure(median(subject.rounds.map(value)), digits, unit)
    return [
      `${subject.maker.name}, ${subject.kind}`,
      whole(median(rates(subject))),
      percent(ratio(rates(subject), rates(floors.tcp))),
      subject.kind === 'http' ? percent(ratio(rates(subject), rates(floors.http))) : '–',
      of((round) => round.p50Ms, 2, 'ms'),
      of((round) => round.p99Ms, 2, 'ms'),
      of((round) => round.cpuMicros, 0, 'µs'),
      figure(median(subject.mebibytes), 0, 'MiB/s'),
      percent(ratio(subject.mebibytes, floors[subject.kind]?.mebibytes ?? [])),
      whole(subject.rounds.reduce((sum, { errors }) => sum + errors, 0)),
    ]
  })
  const columns = [
    'Proxy',
    'Requests/s',
    'of the bare pipe',
    'of the bare HTTP proxy',
    'p50',
    'p99',
    'CPU/request',
    'Bytes',
    'of the bare one of its kind',
    'Errors',
  ]
  console.log(`\nproxies\n${columns.join(' | ')}`)
  for (const row of rows) console.log(row.join(' | '))
  recordEvidence(home, 'proxy-throughput', {
    ...shared,
    columns,
    rows,
    notes: [
      `Medians of ${rounds} rounds, interleaved, each proxy one process of one thread before ten backends; ${wrk ? 'wrk' : 'no wrk'} with 32 connections, 1,000 paths; bytes: 8 connections that download. Load, proxy and backends share the machine's cores.`,
      'The bare ones take the backends in turn. The others hash: TCP by address and port (the command: by address, as it always does), HTTP by path, with health checks (nginx: passive ones).',
      `Rounds are a second long, after one to warm up, and vary with what else the machine does: those of the bare pipe from ${range(rates(floors.tcp))} requests/s and ${range(floors.tcp?.mebibytes ?? [])} MiB/s. Parts are taken within a round.`,
      ...notes,
    ],
  })
  const judge = (kind: Kind, floor: string): void => {
    const [subject, bare] = [find(command, kind), floors[kind]]
    if (subject === undefined || bare === undefined) return
    const what = `20. maglev proxy --${kind}`
    const part = ratio(rates(subject), rates(bare))
    if (wrk) target(`${what}, requests, against ${floor}`, '≥ 70 %', percent(part), part >= 0.7)
    const bytes = ratio(subject.mebibytes, bare.mebibytes)
    target(`${what}, bytes, against ${floor}`, '≥ 70 %', percent(bytes), bytes >= 0.7)
  }
  judge('tcp', 'a bare pipe')
  judge('http', 'a bare node:http proxy')
}

async function kills(
  home: URL,
  shared: { command: string; versions: Record<string, string> },
  makers: readonly FrontMaker[],
  target: Target,
): Promise<void> {
  const rows: string[][] = []
  for (const maker of makers.filter(({ name, kinds }) => name !== barePipe && kinds.includes('tcp'))) {
    const result = await killOne(maker)
    rows.push([
      maker.name,
      `${result.brokenOnDead} of ${result.longOnDead}`,
      `${result.brokenOnOthers} of ${result.longOnOthers}`,
      `${result.shortBrokenOnDead} and ${result.shortBrokenOnOthers} of ${result.short}`,
      `${result.movedOnDead} of ${result.keysOnDead}`,
      `${result.movedOnOthers} of ${result.keysOnOthers}`,
    ])
    if (!ownNames.includes(maker.name)) continue
    const innocent = result.brokenOnOthers + result.shortBrokenOnOthers
    target(
      `19. connections of other backends broken when one of ten is killed: ${maker.name}`,
      '0',
      String(innocent),
      innocent === 0,
    )
  }
  const columns = [
    'One of ten backends is killed',
    'Open connections broken, its own',
    'those of others',
    'short connections broken, its own and of others',
    'Its keys that moved',
    'keys of others that moved',
  ]
  console.log(`\n${columns.join(' | ')}`)
  for (const row of rows) console.log(row.join(' | '))
  recordEvidence(home, 'proxy-kill', {
    ...shared,
    columns,
    rows,
    notes: [
      'TCP, hashed by the address of the client, 600 of them, 200 with a connection that stays open, 300 short connections a second; backends are processes of their own. HAProxy: `balance hash src`, `hash-type consistent`; nginx: `hash $remote_addr consistent`.',
    ],
  })
}

/** Within a round, since the machine may be busier in another. */
function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, at) => value / (theirs[at] ?? Number.NaN)))
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function range(values: readonly number[]): string {
  return `${whole(Math.min(...values))} to ${whole(Math.max(...values))}`
}

function percent(part: number): string {
  return figure(100 * part, 0, '%')
}

/** What could not be measured is a dash. */
function figure(number: number, digits: number, unit: string): string {
  return Number.isFinite(number) ? `${number.toFixed(digits)} ${unit}` : '–'
}

function whole(number: number): string {
  return Number.isFinite(number) ? Math.round(number).toLocaleString('en-US') : '–'
}
