// node --conditions=@loadbearing/source bench/http.ts [--only WORKLOAD] [--seconds N]
// Ours over HTTP beside OpenFGA on the same kinds of stores, and SpiceDB over gRPC: items 20 and 21. All of them stand side
// by side and are asked in turn by one client, so that what slows the machine down slows down all of them.

import { isDeepStrictEqual, parseArgs } from 'node:util'
import { memoryStore, openZanzibar } from '@loadbearing/zanzibar'
import { onPath } from '../test/openfga.ts'
import { type AskedServer, startFloor, startServers } from './http-servers.ts'
import { spiceDbMemory, spiceDbProgram } from './spicedb.ts'
import { percentile, tell, tellRow } from './target.ts'
import { lists, type Triple, type Workload, workload, workloads } from './workloads.ts'

/** How often each is asked at most and at least, whatever the time. */
const mostAsked = 1000
const leastAsked = 150

const { values } = parseArgs({
  options: { only: { type: 'string' }, seconds: { type: 'string', default: '15' } },
})
const seconds = Number(values.seconds)
const hasOpenFga = (process.env['OPENFGA'] ?? onPath('openfga')) !== undefined
const hasSpiceDb = spiceDbProgram() !== undefined

interface Asked {
  readonly name: string
  readonly ask: (question: Triple) => unknown
}

/** Of the times of one that was asked, in microseconds. */
interface Latency {
  readonly p50: number
  readonly p99: number
}

await compareAll([...Object.keys(workloads), ...Object.keys(lists)])
// SpiceDB's client keeps its connections.
process.exit()

async function compareAll(names: readonly string[]): Promise<void> {
  await using started = await startServers(hasOpenFga)
  await using floor = await startFloor()
  for (const name of names.filter((each) => values.only === undefined || each === values.only)) {
    const all = await everybody(name, started.servers)
    const latencies = await measure(name, all, await floorOf(name, floor, all))
    const first = latencies.get('ours, memory')?.p50 ?? Number.NaN
    for (const [subject, { p50, p99 }] of latencies)
      tellRow([`${name}, as a server`, subject, p50.toFixed(2), p99.toFixed(2), (p50 / first).toFixed(2)])
    if (hasOpenFga) compareWithOpenFga(name, latencies)
    if (hasSpiceDb && workload(name).spiceDbSchema !== undefined) compareWithSpiceDb(name, latencies)
  }
}

/** All that are asked of a workload, filled. */
async function everybody(name: string, servers: readonly AskedServer[]): Promise<readonly Asked[]> {
  const given = workload(name)
  const asked: Asked[] = []
  for (const server of servers) asked.push({ name: server.name, ask: await server.fill(given) })
  if (!hasSpiceDb || given.spiceDbSchema === undefined) return asked
  const spiceDb = await spiceDbMemory({ name })
  return [
    ...asked,
    { name: 'SpiceDB, memory', ask: (question) => spiceDb.call(question) },
    { name: 'ours, in the process', ask: await inProcess(given) },
  ]
}

/** What answers as ours in memory does, to the first question. */
async function floorOf(
  name: string,
  floor: Awaited<ReturnType<typeof startFloor>>,
  [first]: readonly Asked[],
): Promise<Asked> {
  const { questions, lists: isList } = workload(name)
  const answer = questions[0] && (await first?.ask(questions[0]))
  const ask = await floor.fill(isList ? { objects: answer } : { allowed: answer, resolution: '' })
  return { name: 'bare node:http', ask }
}

async function inProcess({ model, tuples }: Workload): Promise<Asked['ask']> {
  const zanzibar = await openZanzibar({ model, store: memoryStore() })
  await zanzibar.write({ add: tuples })
  return ([user, relation, object]) => zanzibar.checkSync(user, relation, object)
}

/** Compares what they answer, then asks them and the floor question by question, each time beginning with another one. */
async function measure(
  name: string,
  compared: readonly Asked[],
  floor: Asked,
): Promise<ReadonlyMap<string, Latency>> {
  const all = [...compared, floor]
  const { questions } = workload(name)
  for (const question of questions) {
    const answers: unknown[] = []
    for (const { ask } of compared) answers.push(inOrder(await ask(question)))
    const [first, ...others] = answers
    const at = others.findIndex((each) => !isDeepStrictEqual(each, first))
    if (at !== -1)
      throw new Error(`${name}: ${compared[at + 1]?.name} answers ${question.join(' ')} otherwise`)
  }
  await askInTurn(all, questions, { most: mostAsked, least: 20, seconds: seconds / 5 })
  const times = await askInTurn(all, questions, { most: mostAsked, least: leastAsked, seconds })
  return new Map(
    all.map((each, at): [string, Latency] => {
      const own = times[at] ?? []
      return [each.name, { p50: percentile(own, 0.5), p99: percentile(own, 0.99) }]
    }),
  )
}

/** @returns how long each took to answer, in microseconds */
async function askInTurn(
  all: readonly Asked[],
  questions: readonly Triple[],
  until: { readonly most: number; readonly least: number; readonly seconds: number },
): Promise<readonly (readonly number[])[]> {
  const times = all.map((): number[] => [])
  const end = performance.now() + until.seconds * 1000
  for (let round = 0; round < until.most; round++) {
    if (round >= until.least && performance.now() > end) break
    const question = questions[round % questions.length]
    if (question === undefined) break
    for (const at of all.keys()) {
      const turn = (at + round) % all.length
      const began = performance.now()
      await all[turn]?.ask(question)
      times[turn]?.push((performance.now() - began) * 1000)
    }
  }
  return times
}

/** Neither says in which order objects are listed. */
function inOrder(answer: unknown): unknown {
  return Array.isArray(answer) ? answer.map(String).toSorted((a, b) => (a < b ? -1 : 1)) : answer
}

/** Item 20: on SQLite and PostgreSQL both percentiles, in what is nested, wide or a list three times the half; in memory 10 tuples. */
function compareWithOpenFga(name: string, latencies: ReadonlyMap<string, Latency>): void {
  for (const store of ['SQLite', 'PostgreSQL']) {
    const [theirs, ours] = [latencies.get(`OpenFGA, ${store}`), latencies.get(`ours, ${store}`)]
    const least = /nested|group|Groups|parents|Arrow|list/.test(name) ? 3 : 1
    for (const [percent, wanted] of [
      ['p50', least],
      ['p99', 1],
    ] as const) {
      const times = (theirs?.[percent] ?? Number.NaN) / (ours?.[percent] ?? Number.NaN)
      tellTimes(20, `${name}, over HTTP, ${percent}: OpenFGA beside ours, ${store}`, times, wanted)
    }
  }
  if (name !== 'direct, 10 tuples') return
  const [theirs, ours] = [latencies.get('OpenFGA, memory')?.p50, latencies.get('ours, memory')?.p50]
  tellTimes(
    20,
    `${name}, over HTTP, p50: OpenFGA beside ours, memory`,
    (theirs ?? Number.NaN) / (ours ?? Number.NaN),
    0.8,
  )
}

function tellTimes(item: number, what: string, times: number, least: number): void {
  tell({
    item,
    what,
    wanted: `>= ${least} times`,
    measured: `${times.toFixed(2)} times`,
    isMet: times >= least,
  })
}

/** Item 21: ours, in the process and over HTTP, beside SpiceDB over gRPC, each server through its own client. */
function compareWithSpiceDb(name: string, latencies: ReadonlyMap<string, Latency>): void {
  const theirs = latencies.get('SpiceDB, memory')?.p50 ?? Number.NaN
  for (const [how, subject] of [
    ['in the process', 'ours, in the process'],
    ['over HTTP', 'ours, memory'],
  ] as const) {
    const times = (latencies.get(subject)?.p50 ?? Number.NaN) / theirs
    tell({
      item: 21,
      what: `${name}: ours ${how} beside SpiceDB, memory`,
      wanted: '<= 0.5 times',
      measured: `${times.toFixed(2)} times`,
      isMet: times <= 0.5,
    })
  }
}
