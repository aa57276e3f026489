#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { shownRecord } from './cli/shown-record.ts'
import { type OpenStore, openStore } from './cli/store-url.ts'
import { parseDuration } from './duration.ts'
import { IdempotencyError, isIdempotencyError, shown } from './errors.ts'
import { createIdempotency } from './idempotency.ts'
import { applied, notApplied } from './operation/phase.ts'
import { realRandom } from './ports.ts'
import type { IdempotencyRecord } from './record/record.ts'
import { type Secret, sealerOf } from './seal.ts'

const usage = `stripe-idempotency: looks after idempotency keys

Usage: stripe-idempotency COMMAND --store URL [--table NAME] [option…]

  ls       lists records, newest first  [--state claimed|completed|uncertain] [--scope S] [--abandoned 5m] [--limit 100]
  show     one record                   ID
  resolve  settles an uncertain one     ID --applied JSON | --not-applied
  erase    forgets what was said        --scope S [--key K]
  reap     deletes what has expired     [--limit 1000]
  migrate  makes the tables
  doctor   says what is wrong with the store

URL: postgres://…, redis://…, sqlite:path; also in IDEMPOTENCY_STORE. Secrets of the store, as "id:value id:value", are taken from
IDEMPOTENCY_SECRETS. Answers are lines of JSON. With 1 it exits where something was refused or is wrong, with 2 on wrong use.
`

const options = {
  store: { type: 'string' },
  table: { type: 'string' },
  state: { type: 'string' },
  scope: { type: 'string' },
  key: { type: 'string' },
  abandoned: { type: 'string' },
  limit: { type: 'string' },
  applied: { type: 'string' },
  'not-applied': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values']

/** Answers lines; `failed` where something is wrong. */
interface Answer {
  readonly lines: readonly object[]
  readonly failed?: boolean
}

type Command = (open: OpenStore, values: Values, id: string | undefined) => Promise<Answer>

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['ls', ls],
  ['show', async (open, _, id) => ({ lines: [shownRecord(await recordOf(open, id))] })],
  ['resolve', resolve],
  ['erase', erase],
  ['reap', async ({ store }, { limit }) => ({ lines: [{ reaped: await store.reap(count(limit, 1000)) }] })],
  ['migrate', migrate],
  ['doctor', doctor],
])

async function main(args: string[]): Promise<void> {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [name, id] = positionals
    const command = commands.get(name ?? '')
    if (values.help === true) {
      process.stdout.write(usage)
      return
    }
    if (command === undefined) throw wrong(`name a command: ${[...commands.keys()].join(', ')}`)
    const url = values.store ?? process.env['IDEMPOTENCY_STORE']
    if (url === undefined) throw wrong('--store is missing, such as --store postgres://127.0.0.1/shop')
    await using open = await openStore(url, values.table)
    const { lines, failed = false } = await command(open, values, id)
    for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`)
    if (failed) process.exitCode = 1
  } catch (error) {
    if (!(error instanceof Error)) throw error
    process.stderr.write(`stripe-idempotency: ${error.message.replaceAll(/\s+/g, ' ')}\n`)
    process.exitCode = isWrongUse(error) ? 2 : 1
  }
}

async function ls({ store }: OpenStore, { state, scope, abandoned, limit }: Values): Promise<Answer> {
  if (state !== undefined && state !== 'claimed' && state !== 'completed' && state !== 'uncertain') {
    throw wrong(`--state must be claimed, completed or uncertain, not ${shown(state)}`)
  }
  const records = await store.list({
    limit: count(limit, 100),
    ...(state !== undefined && { state }),
    ...(scope !== undefined && { scope }),
    ...(abandoned !== undefined && { abandonedFor: parseDuration('--abandoned', abandoned) }),
  })
  return { lines: records.map(shownRecord) }
}

async function resolve(open: OpenStore, values: Values, id: string | undefined): Promise<Answer> {
  const { applied: value, 'not-applied': not = false } = values
  if ((value === undefined) !== not)
    throw wrong('say either --applied JSON, with what it came to, or --not-applied')
  const verdict = value === undefined ? notApplied() : applied(json(value))
  const record = await recordOf(open, id)
  const idempotency = createIdempotency({ store: open.store, secrets: secrets() })
  const resolved = await idempotency.resolve(record, verdict)
  return { lines: [{ id: record.id, resolved, state: record.state }], failed: !resolved }
}

async function erase({ store }: OpenStore, { scope, key }: Values): Promise<Answer> {
  if (scope === undefined) throw wrong('--scope is missing: whose keys to erase')
  const named = key === undefined ? {} : { key: sealerOf(secrets(), realRandom).keyOf(scope, key) }
  return { lines: [{ erased: await store.erase({ scope, ...named }) }] }
}

async function migrate(open: OpenStore): Promise<Answer> {
  await open.migrate?.()
  return { lines: [{ migrated: open.migrate !== undefined }] }
}

async function doctor(open: OpenStore): Promise<Answer> {
  const findings = (await open.doctor?.()) ?? []
  return { lines: findings, failed: findings.some(({ severity }) => severity === 'error') }
}

const searchedMax = 100_000

async function recordOf({ store }: OpenStore, id: string | undefined): Promise<IdempotencyRecord> {
  if (id === undefined) throw wrong('name the id of a record, as ls shows it')
  const records = await store.list({ limit: searchedMax })
  const found = records.find((record) => record.id === id)
  if (found === undefined) throw wrong(`there is no record ${shown(id)} among the newest ${searchedMax}`)
  return found
}

function count(given: string | undefined, preset: number): number {
  if (given === undefined) return preset
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given)
  throw wrong(`--limit must be a number above 0, not ${shown(given)}`)
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new IdempotencyError('invalid_option', `--applied must be JSON, not ${shown(text)}`, { cause })
  }
}

function secrets(): Secret[] {
  const given = process.env['IDEMPOTENCY_SECRETS'] ?? ''
  return given
    .split(' ')
    .filter((each) => each !== '')
    .map((each) => ({ id: each.slice(0, each.indexOf(':')), value: each.slice(each.indexOf(':') + 1) }))
}

function wrong(message: string): IdempotencyError {
  return new IdempotencyError('invalid_option', `${message} (--help shows how)`)
}

function isWrongUse(error: Error): boolean {
  return (
    (isIdempotencyError(error) && error.code === 'invalid_option') ||
    ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_'))
  )
}

await main(process.argv.slice(2))
