#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { loadOperations } from './cli/load-operations.ts'
import { shownRecord } from './cli/shown-record.ts'
import { type OpenStore, openStore, type StoreNames } from './cli/store-url.ts'
import { parseDuration } from './duration.ts'
import { IdempotencyError, isIdempotencyError, shown } from './errors.ts'
import { createIdempotency } from './idempotency.ts'
import { keyIn } from './key/idempotency-key.ts'
import { stripeV1, stripeV2 } from './mode/stripe.ts'
import { applied, notApplied } from './operation/phase.ts'
import { realRandom } from './ports.ts'
import type { IdempotencyRecord } from './record/record.ts'
import { checkedSecrets, placeOf, type Sealer, type Secret, sealerOf } from './seal.ts'
import { openFindings, openMax } from './store/open-finding.ts'
import type { Finding } from './store/store.ts'

const usage = `stripe-idempotency: looks after idempotency keys

Usage: stripe-idempotency COMMAND --store URL [--table NAME] [option…]
       stripe-idempotency complete --module FILE [option…]

  ls       lists records, newest first  [--state claimed|completed|uncertain] [--scope S] [--abandoned 5m] [--limit 100]
  show     one record                   ID
  resolve  settles an uncertain one     ID --applied JSON | --not-applied
  erase    forgets what was said        --scope S [--key K]
  reap     deletes what has expired     [--limit 1000]
  complete goes on with abandoned ones  --module FILE [--abandoned 300s] [--limit 1000]
  migrate  makes the tables             [--outbox NAME]
  doctor   says what is wrong with it   [--outbox NAME]

URL: postgres://…, redis://…, sqlite:path; also in IDEMPOTENCY_STORE. Secrets of the store, as "id:value id:value", are taken from
IDEMPOTENCY_SECRETS. FILE is a module that exports an idempotency with its operations, as "idempotency" or as its default; it
brings its own store and secrets. Answers are lines of JSON. It exits with 1 where something was refused, is wrong, or could not
be completed, with 2 on wrong use.
`

const options = {
  store: { type: 'string' },
  table: { type: 'string' },
  state: { type: 'string' },
  scope: { type: 'string' },
  key: { type: 'string' },
  abandoned: { type: 'string' },
  limit: { type: 'string' },
  outbox: { type: 'string' },
  module: { type: 'string' },
  applied: { type: 'string' },
  'not-applied': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values']

/** Those that are about one record. */
const takesId: ReadonlySet<string> = new Set(['show', 'resolve'])

/** Answers lines; `failed` where something is wrong. */
interface Answer {
  readonly lines: readonly object[]
  readonly failed?: boolean
}

type Command = (values: Values, id: string | undefined) => Promise<Answer>

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['ls', onStore(ls)],
  ['show', onStore(async (open, _, id) => ({ lines: [shownRecord(await recordOf(open, id))] }))],
  ['resolve', onStore(resolve)],
  ['erase', onStore(erase)],
  [
    'reap',
    onStore(async ({ store }, { limit }) => ({ lines: [{ reaped: await store.reap(count(limit, 1000)) }] })),
  ],
  ['complete', complete],
  ['migrate', onStore(migrate, 'make')],
  ['doctor', onStore(doctor, 'examine')],
])

/** Records of before may have an id that begins as an option does. */
function withIdsLast(args: readonly string[]): string[] {
  const isSuchId = (each: string): boolean => /^-[A-Za-z0-9_-]{21}$/.test(each)
  return [...args.filter((each) => !isSuchId(each)), '--', ...args.filter(isSuchId)]
}

async function main(args: string[]): Promise<void> {
  try {
    const { values, positionals } = parseArgs({ args: withIdsLast(args), options, allowPositionals: true })
    const [name, id, ...more] = positionals
    const command = commands.get(name ?? '')
    if (values.help === true) {
      process.stdout.write(usage)
      return
    }
    if (command === undefined) throw wrong(`name a command: ${[...commands.keys()].join(', ')}`)
    const [stray] = takesId.has(name ?? '') ? more : positionals.slice(1)
    if (stray !== undefined) throw wrong(`${name} has no use for ${shown(stray)}`)
    const { lines, failed = false } = await command(values, id)
    for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`)
    if (failed) process.exitCode = 1
  } catch (error) {
    process.stderr.write(`stripe-idempotency: ${reasonOf(error)}\n`)
    process.exitCode = isWrongUse(error) ? 2 : 1
  }
}

function onStore(
  work: (open: OpenStore, values: Values, id: string | undefined) => Promise<Answer>,
  purpose: StoreNames['purpose'] = 'use',
): Command {
  return async (values, id) => {
    const url = values.store ?? process.env['IDEMPOTENCY_STORE']
    if (url === undefined) throw wrong('--store is missing, such as --store postgres://127.0.0.1/shop')
    await using open = await openStore({ url, table: values.table, outbox: values.outbox, purpose })
    return await work(open, values, id)
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
  const given = secrets()
  // Of a request without phases that was not applied nothing is written.
  const others =
    record.operation !== null || not ? [] : await open.store.list({ limit: comparedMax, state: 'completed' })
  checkAgainst([record, ...others], sealerOf(given, realRandom))
  const idempotency = createIdempotency({ store: open.store, ...(given.length > 0 && { secrets: given }) })
  const resolved = await idempotency.resolve(record, verdict)
  return { lines: [{ id: record.id, resolved, state: record.state }], failed: !resolved }
}

const comparedMax = 20

/** What is settled is settled for good, and an answer that is sealed otherwise than those of the servers is read by none of them. */
function checkAgainst(records: readonly IdempotencyRecord[], sealer: Sealer): void {
  let reason: unknown
  for (const each of records) {
    const [sealed, part] =
      each.response === null ? [each.operation?.input, 'input' as const] : [each.response, 'answer' as const]
    if (sealed === undefined || sealed.length === 0) continue
    try {
      sealer.open(sealed, placeOf(each, part))
      return
    } catch (error) {
      reason ??= error
    }
  }
  if (reason === undefined) return
  throw new IdempotencyError(
    'record_corrupt',
    `IDEMPOTENCY_SECRETS are not those of this store, and what they seal could not be read: ${reasonOf(reason)}`,
    { cause: reason },
  )
}

async function erase({ store }: OpenStore, { scope, key }: Values): Promise<Answer> {
  if (scope === undefined) throw wrong('--scope is missing: whose keys to erase')
  if (key === undefined) return { lines: [{ erased: await store.erase({ scope }) }] }
  const sealer = sealerOf(secrets(), realRandom)
  let erased = 0
  for (const { keySpace } of [stripeV1, stripeV2])
    erased += await store.erase({ scope, key: sealer.keyOf(scope, keyIn(keySpace, key)) })
  return { lines: [{ erased }] }
}

async function migrate(open: OpenStore): Promise<Answer> {
  await open.migrate?.()
  return { lines: [{ migrated: open.migrate !== undefined }] }
}

async function complete({ module, abandoned, limit }: Values): Promise<Answer> {
  if (module === undefined) throw wrong('--module is missing: a file that exports an idempotency')
  const idempotency = await loadOperations(module)
  const completions = await idempotency.complete({
    ...(abandoned !== undefined && { pickUpAfter: abandoned }),
    batch: count(limit, 1000),
  })
  await idempotency[Symbol.asyncDispose]()
  return {
    lines: completions.map(({ recordId: id, operation, outcome, error }) => ({
      id,
      operation,
      outcome,
      ...(error !== undefined && { error: reasonOf(error) }),
    })),
    failed: completions.some(({ outcome }) => outcome === 'left' || outcome === 'uncertain'),
  }
}

async function doctor(open: OpenStore): Promise<Answer> {
  const findings = await open.doctor()
  // It may be in no state to be asked for records.
  const failed = findings.some(({ severity }) => severity === 'error')
  return { lines: failed ? findings : [...findings, ...(await openIn(open))], failed }
}

async function openIn({ store }: OpenStore): Promise<readonly Finding[]> {
  const uncertain = await store.list({ limit: openMax, state: 'uncertain' })
  return openFindings(
    uncertain,
    await store.list({ limit: openMax, state: 'claimed', abandonedFor: 86_400_000 }),
  )
}

const searchedMax = 100_000

async function recordOf({ store }: OpenStore, id: string | undefined): Promise<IdempotencyRecord> {
  if (id === undefined) throw wrong('name the id of a record, as ls shows it')
  // Those that are open are few, and the ones that somebody has to look after.
  for (const filter of [{ state: 'uncertain' }, { state: 'claimed' }, {}] as const) {
    const records = await store.list({ limit: searchedMax, ...filter })
    const found = records.find((record) => record.id === id)
    if (found !== undefined) return found
  }
  throw wrong(`there is no record ${shown(id)}, neither among the open ones nor the newest ${searchedMax}`)
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

/** @throws IdempotencyError `invalid_option`, which does not show them */
function secrets(): readonly Secret[] {
  const text = process.env['IDEMPOTENCY_SECRETS']
  if (text === undefined) return []
  const given = text
    .split(' ')
    .filter((each) => each !== '')
    .map((each, at) => {
      const colon = each.indexOf(':')
      if (colon < 1)
        throw wrong(`IDEMPOTENCY_SECRETS must be "id:value id:value", and number ${at + 1} has no id`)
      return { id: each.slice(0, colon), value: each.slice(colon + 1) }
    })
  if (given.length === 0) throw wrong('IDEMPOTENCY_SECRETS is empty: unset it where the store has none')
  return checkedSecrets(given)
}

/** In one line. Drivers put several failures to connect into an error that says nothing itself. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return shown(error)
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined
  return error.message === '' && inner !== undefined ? reasonOf(inner) : error.message.replaceAll(/\s+/g, ' ')
}

function wrong(message: string): IdempotencyError {
  return new IdempotencyError('invalid_option', `${message} (--help shows how)`)
}

function isWrongUse(error: unknown): boolean {
  return (
    (isIdempotencyError(error) && error.code === 'invalid_option') ||
    (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_'))
  )
}

await main(process.argv.slice(2))
// The connections of a module are its own, and may keep the process alive: what is written is waited for, and nothing else.
process.stdout.write('', () => process.stderr.write('', () => process.exit()))
