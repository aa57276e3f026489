import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import {
  postgres as postgresServer,
  redis as redisServer,
  type ServiceKind,
} from '@loadbearing/harness/services'
import { createIdempotency, type Exchange, type IdempotencyStore } from '@loadbearing/stripe-idempotency'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { Redis } from 'ioredis'
import { openPool } from '../stores/pool.ts'

const cli = join(import.meta.dirname, '../../src/cli.ts')
export const operations: string = join(import.meta.dirname, 'programs/operations.ts')

/** What a run of the command came to. */
export interface Ran {
  readonly status: number | null
  readonly lines: Record<string, unknown>[]
  readonly said: string
}

/** A store, a server that uses it, and the command on it in a process of its own. */
export interface World extends AsyncDisposable {
  readonly url: string
  readonly store: IdempotencyStore
  readonly http: Exchange
  run(...args: string[]): Promise<Ran>
  runWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ran>
}

interface OpenStore extends AsyncDisposable {
  readonly url: string
  readonly store: IdempotencyStore
}

export type Kind = 'sqlite' | Extract<ServiceKind, 'postgres' | 'redis'>

const opens: Readonly<Record<Kind, () => Promise<OpenStore>>> = {
  async sqlite() {
    const home = mkdtempSync(join(tmpdir(), 'idempotency-cli-'))
    const database = new DatabaseSync(join(home, 'records.db'))
    return {
      url: `sqlite:${join(home, 'records.db')}`,
      store: sqliteStore({ database }),
      async [Symbol.asyncDispose]() {
        database.close()
        rmSync(home, { recursive: true })
      },
    }
  },
  async postgres() {
    const server = await postgresServer()
    const admin = openPool(server.url, 1)
    await admin.query('DROP DATABASE IF EXISTS cli')
    await admin.query('CREATE DATABASE cli')
    const url = new URL(server.url)
    url.pathname = 'cli'
    const pool = openPool(url.href, 4)
    const store = postgresStore({ pool })
    await store.migrate()
    return {
      url: url.href,
      store,
      async [Symbol.asyncDispose]() {
        await pool.end()
        await admin.query('DROP DATABASE cli WITH (FORCE)')
        await admin.end()
        await server.stop()
      },
    }
  },
  async redis() {
    const server = await redisServer()
    const client = new Redis(server.url)
    await client.flushdb()
    return {
      url: server.url,
      store: await redisStore({ client }),
      async [Symbol.asyncDispose]() {
        client.disconnect()
        await server.stop()
      },
    }
  },
}

export async function openWorld(kind: Kind): Promise<World> {
  const opened = await opens[kind]()
  const idempotency = createIdempotency({
    store: opened.store,
    secrets: [{ id: '2026', value: 's3cret-of-at-least-16-bytes' }],
  })
  const runWith: World['runWith'] = (env, ...args) =>
    runCli(args, {
      IDEMPOTENCY_STORE: opened.url,
      IDEMPOTENCY_SECRETS: '2026:s3cret-of-at-least-16-bytes',
      ...env,
    })
  return {
    url: opened.url,
    store: opened.store,
    http: idempotency.http({ mode: 'stripe-v1' }),
    run: (...args) => runWith({}, ...args),
    runWith,
    async [Symbol.asyncDispose]() {
      await idempotency[Symbol.asyncDispose]()
      await opened[Symbol.asyncDispose]()
    },
  }
}

export async function runCli(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  const child = spawn(
    process.execPath,
    ['--conditions=@loadbearing/source', '--disable-warning=ExperimentalWarning', cli, ...args],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (child.exitCode === null) await once(child, 'exit')
  const lines = out.startsWith('{') ? out.trim().split('\n') : []
  return {
    status: child.exitCode,
    lines: lines.map((line): Record<string, unknown> => JSON.parse(line)),
    said: said || out,
  }
}

/** A request with the key, and what it was answered: its status and body, or 0 and the error. */
export function pay(http: Exchange, key: string, work: () => Promise<string>): Promise<[number, string]> {
  const request = {
    method: 'POST',
    path: '/v1/charges',
    query: '',
    headers: [['idempotency-key', key]] as const,
    body: Buffer.from('{}'),
  }
  return http
    .answer(request, 'acct_1', async () => ({ status: 201, headers: [], body: Buffer.from(await work()) }))
    .then(
      ({ response }) => [
        response.status,
        response.body instanceof Uint8Array ? Buffer.from(response.body).toString() : 'a stream',
      ],
      (error: unknown) => [0, String(error)],
    )
}
