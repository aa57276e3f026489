import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '@loadbearing/harness/faults'
import { postgres } from '@loadbearing/harness/services'
import { parseModel } from '@loadbearing/zanzibar'
import { OpenFgaClient } from '@openfga/sdk'
import { Client } from 'pg'
import { startOpenFga } from '../test/openfga.ts'
import type { Triple, Workload } from './workloads.ts'

/** A running server, in a process of its own, asked by its client. */
export interface AskedServer extends AsyncDisposable {
  readonly name: string
  /** A store with a workload's model and tuples; whoever calls it asks one of its questions. */
  fill(workload: Workload): Promise<(question: Triple) => Promise<unknown>>
}

/** Ours and OpenFGA's, each on memory, SQLite and, side by side on one server, PostgreSQL. */
export async function startServers(
  hasOpenFga: boolean,
): Promise<AsyncDisposableStack & { servers: AskedServer[] }> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'zanzibar-bench-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const database = stack.use(await postgres())
  const ofPostgres = async (name: string): Promise<string> => {
    const admin = new Client({ connectionString: database.url })
    await admin.connect()
    const own = `${name}_${process.pid}`
    await admin.query(`CREATE DATABASE ${own}`)
    await admin.end()
    const url = new URL(database.url)
    url.pathname = own
    return url.href
  }
  const servers = [
    stack.use(await startOurs('ours, memory', 'memory')),
    stack.use(await startOurs('ours, SQLite', join(folder, 'ours.db'))),
    stack.use(await startOurs('ours, PostgreSQL', await ofPostgres('ours'))),
  ]
  if (hasOpenFga) {
    const url = `${await ofPostgres('openfga')}?sslmode=disable`
    servers.push(
      stack.use(await startTheirs('OpenFGA, memory', [])),
      stack.use(await startTheirs('OpenFGA, SQLite', ['sqlite', `file:${join(folder, 'openfga.db')}`])),
      stack.use(await startTheirs('OpenFGA, PostgreSQL', ['postgres', url])),
    )
  }
  return Object.assign(stack.move(), { servers })
}

async function startOurs(name: string, store: string): Promise<AskedServer> {
  const { url, child } = await startProgram('server.ts', store)
  return {
    name,
    fill: (workload) => fillOverHttp(url, workload),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

/** A bare server that gives one answer to all questions, asked by the same client: nothing over HTTP takes less. */
export async function startFloor(): Promise<
  AsyncDisposable & { fill(answer: object): Promise<(question: Triple) => Promise<unknown>> }
> {
  const { url, child } = await startProgram('floor.ts')
  const client = new OpenFgaClient({ apiUrl: url, storeId: '01HVMMBCMGZNT3SED4Z17ECXCA' })
  return {
    fill: async (answer) => {
      await fetch(url, { method: 'PUT', body: JSON.stringify(answer) })
      return 'objects' in answer
        ? ([user, relation, type]) => client.listObjects({ user, relation, type })
        : ([user, relation, object]) => client.check({ user, relation, object })
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

/** One of these programs, which says where it listens. */
async function startProgram(
  name: string,
  ...args: readonly string[]
): Promise<{ readonly url: string; readonly child: AsyncDisposable }> {
  const child = await startChild(new URL(name, import.meta.url), {
    args: [...args],
    execArgv: ['--conditions=@loadbearing/source'],
    ready: /^http/,
  })
  return { url: /^http\S+/m.exec(child.output.stdout)?.[0] ?? '', child }
}

/** `store`: the engine of its data, and where that is; none is memory. */
async function startTheirs(name: string, store: readonly string[]): Promise<AskedServer> {
  const [engine, uri] = store
  const flags = engine && uri ? ['--datastore-engine', engine, '--datastore-uri', uri] : []
  if (flags.length > 0) {
    const { status, stderr } = spawnSync(process.env['OPENFGA'] ?? 'openfga', ['migrate', ...flags])
    if (status !== 0) throw new Error(`openfga migrate: ${String(stderr)}`)
  }
  // On a busy machine a wide check takes longer than the three seconds that it is given.
  const patient = ['--request-timeout', '30s', '--http-upstream-timeout', '31s']
  const server = await startOpenFga('--resolve-node-limit', '50', ...patient, ...flags)
  if ('missing' in server) throw new Error(server.missing)
  return {
    name,
    fill: (workload) => fillOverHttp(server.url, workload),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** By the client of OpenFGA, as it comes. */
async function fillOverHttp(
  url: string,
  { model, tuples, lists }: Workload,
): Promise<(question: Triple) => Promise<unknown>> {
  const { id } = await new OpenFgaClient({ apiUrl: url }).createStore({ name: 'bench' })
  const client = new OpenFgaClient({ apiUrl: url, storeId: id })
  await client.writeAuthorizationModel(JSON.parse(JSON.stringify(parseModel(model))))
  for (let from = 0; from < tuples.length; from += 100) {
    await client.writeTuples(
      tuples.slice(from, from + 100).map(([user, relation, object]) => ({ user, relation, object })),
    )
  }
  if (lists)
    return async ([user, relation, type]) => (await client.listObjects({ user, relation, type })).objects
  return async ([user, relation, object]) => (await client.check({ user, relation, object })).allowed
}
