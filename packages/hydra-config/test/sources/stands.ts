import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  nats,
  postgres as postgresServer,
  redis as redisServer,
  type Service,
  type ServiceOptions,
} from '@loadbearing/harness/services'
import { Kvm } from '@nats-io/kv'
import { connect } from '@nats-io/transport-node'
import { Redis } from 'ioredis'
import { Client, Pool } from 'pg'
import postgres from 'postgres'
import { createClient } from 'redis'
import { fromNats } from '../../src/adapters/nats.ts'
import { fromDir } from '../../src/adapters/node.ts'
import { fromPostgres } from '../../src/adapters/postgres.ts'
import { fromRedis } from '../../src/adapters/redis.ts'
import { fromSqlite } from '../../src/adapters/sqlite.ts'
import type { PublishedSource } from '../../src/source/published.ts'
import type { ConfigSource } from '../../src/source/source.ts'

const require = createRequire(import.meta.url)
// Their types are those of the newer ones here; test/types holds their own to what a source is made of.
const ioredis5: typeof import('ioredis') = require('ioredis5')
const redis5: typeof import('redis') = require('redis5')

/** One store with one client. */
export interface Stand extends AsyncDisposable {
  /** The folder of this name in the store. */
  source(name: string): ConfigSource
  publish(name: string, files: ReadonlyMap<string, string>): Promise<number>
  /** Puts this in the place of what `publish` writes. */
  spoil?(name: string, text: string): Promise<void>
}

/** A kind of store: each call gives a client of its own to the one store. */
export interface Store extends AsyncDisposable {
  readonly service?: Service
  stand(): Promise<Stand>
}

function published(open: (name: string) => PublishedSource): Pick<Stand, 'source' | 'publish'> {
  return { source: open, publish: (name, files) => open(name).publish(files) }
}

export async function dirStore(): Promise<Store> {
  const home = await mkdtemp(join(tmpdir(), 'hydra-config-'))
  let revision = 0
  return {
    stand: async () => ({
      source: (name) => fromDir(join(home, name)),
      // The way of Kubernetes: the folder is a link that is replaced.
      publish: async (name, files) => {
        revision += 1
        const folder = join(home, `.${name}-${revision}`)
        for (const [path, text] of files) {
          await mkdir(path.endsWith('/') ? join(folder, path) : dirname(join(folder, path)), {
            recursive: true,
          })
          if (!path.endsWith('/')) await writeFile(join(folder, path), text)
        }
        await symlink(folder, `${folder}.link`)
        await rename(`${folder}.link`, join(home, name))
        return revision
      },
      [Symbol.asyncDispose]: async () => {},
    }),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true }),
  }
}

export async function sqliteStore(): Promise<Store> {
  const home = await mkdtemp(join(tmpdir(), 'hydra-config-'))
  return {
    stand: async () => {
      const database = new DatabaseSync(join(home, 'config.db'), { timeout: 5000 })
      fromSqlite(database).migrate()
      return {
        ...published((name) => fromSqlite(database, { name, pollEvery: 5 })),
        spoil: async (name, text) => {
          database.prepare('UPDATE hydra_config SET files = ? WHERE name = ?').run(text, name)
        },
        [Symbol.asyncDispose]: async () => database.close(),
      }
    },
    [Symbol.asyncDispose]: () => rm(home, { recursive: true }),
  }
}

/** @param client which of pg's clients, or postgres itself */
export async function postgresStore(
  client: 'Pool' | 'Client' | 'postgres',
  options: ServiceOptions = {},
): Promise<Store> {
  const service = await postgresServer(options)
  const schema = `sources_${client.toLowerCase()}`
  const table = `${schema}.hydra_config`
  return {
    service,
    stand: async () => {
      const { ask, open, close } = await postgresClient(client, service.url, table)
      await ask(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
      await open('default').migrate()
      return {
        ...published(open),
        spoil: (name, text) => ask(`UPDATE ${table} SET files = '${text}' WHERE name = '${name}'`),
        [Symbol.asyncDispose]: close,
      }
    },
    [Symbol.asyncDispose]: () => service.stop(),
  }
}

async function postgresClient(
  kind: 'Pool' | 'Client' | 'postgres',
  url: string,
  table: string,
): Promise<{
  ask(text: string): Promise<void>
  open(name: string): ReturnType<typeof fromPostgres>
  close(): Promise<void>
}> {
  if (kind === 'postgres') {
    const sql = postgres(url, { onnotice: () => {}, max: 3, backoff: () => 0.05, connect_timeout: 2 })
    return {
      ask: async (text) => void (await sql.unsafe(text)),
      open: (name) => fromPostgres(sql, { table, name }),
      close: () => sql.end({ timeout: 1 }),
    }
  }
  if (kind === 'Pool') {
    const pool = new Pool({ connectionString: url, max: 3 })
    pool.on('error', () => {})
    return {
      ask: async (text) => void (await pool.query(text)),
      open: (name) => fromPostgres(pool, { table, name }),
      close: () => pool.end(),
    }
  }
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return {
    ask: async (text) => void (await client.query(text)),
    open: (name) => fromPostgres(client, { table, name }),
    close: () => client.end(),
  }
}

/** @param major of ioredis */
export async function ioredisStore(major: 5 | 6, options: ServiceOptions = {}): Promise<Store> {
  const Ioredis = major === 5 ? ioredis5.Redis : Redis
  const prefix = `io${major}-`
  const service = await redisServer(options)
  return {
    service,
    stand: async () => {
      const client = new Ioredis(service.url, { retryStrategy: () => 20, maxRetriesPerRequest: 1 })
      client.on('error', () => {})
      return {
        ...published((name) => fromRedis(client, { name: `${prefix}${name}` })),
        spoil: async (name, text) =>
          void (await client.hset(`hydra-config:{${prefix}${name}}`, 'files', text)),
        [Symbol.asyncDispose]: async () => client.disconnect(),
      }
    },
    [Symbol.asyncDispose]: () => service.stop(),
  }
}

/** @param major of node-redis */
export async function nodeRedisStore(major: 5 | 6, options: ServiceOptions = {}): Promise<Store> {
  const create = major === 5 ? redis5.createClient : createClient
  const prefix = `node${major}-`
  const service = await redisServer(options)
  return {
    service,
    stand: async () => {
      const client = create({
        url: service.url,
        disableOfflineQueue: true,
        socket: { reconnectStrategy: () => 20 },
      })
      client.on('error', () => {})
      await client.connect()
      return {
        ...published((name) => fromRedis(client, { name: `${prefix}${name}` })),
        spoil: async (name, text) =>
          void (await client.hSet(`hydra-config:{${prefix}${name}}`, 'files', text)),
        [Symbol.asyncDispose]: async () => client.destroy(),
      }
    },
    [Symbol.asyncDispose]: () => service.stop(),
  }
}

export async function natsStore(options: ServiceOptions = {}): Promise<Store> {
  const service = await nats(options)
  return {
    service,
    stand: async () => {
      const connection = await connect({
        servers: service.url,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 50,
      })
      const bucket = await new Kvm(connection).create('conf')
      return {
        ...published((name) => fromNats(bucket, { name })),
        spoil: async (name, text) => void (await bucket.put(name, text)),
        [Symbol.asyncDispose]: () => connection.close(),
      }
    },
    [Symbol.asyncDispose]: () => service.stop(),
  }
}
