import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { createIdempotency, type Exchange } from '@loadbearing/stripe-idempotency'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { afterEach, expect, test } from 'vitest'

const cli = join(import.meta.dirname, '../../src/cli.ts')
const secret = 'a secret of 32 bytes, or so, yes'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

interface Ran {
  readonly status: number | null
  readonly lines: Record<string, unknown>[]
  readonly said: string
}

/** A database of records, the server that uses it, and the command on it in a process of its own. */
function world(): { http: Exchange; run(...args: string[]): Promise<Ran> } {
  const home = mkdtempSync(join(tmpdir(), 'idempotency-cli-'))
  const path = join(home, 'records.db')
  const database = new DatabaseSync(path)
  const idempotency = createIdempotency({
    store: sqliteStore({ database }),
    secrets: [{ id: '2026', value: 's3cret-of-at-least-16-bytes' }],
  })
  open.push(async () => {
    await idempotency[Symbol.asyncDispose]()
    database.close()
    rmSync(home, { recursive: true })
  })
  return {
    http: idempotency.http({ mode: 'stripe-v1' }),
    run: (...args) =>
      runCli(args, {
        IDEMPOTENCY_STORE: `sqlite:${path}`,
        IDEMPOTENCY_SECRETS: '2026:s3cret-of-at-least-16-bytes',
      }),
  }
}

async function runCli(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
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

function pay(http: Exchange, key: string, work: () => Promise<string>): Promise<[number, string]> {
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

const paid = (): Promise<string> => Promise.resolve('paid')
const lost = (): Promise<string> => Promise.reject(new Error('lost'))

test('what is uncertain is listed, shown and settled', async () => {
  const { http, run } = world()
  for (const key of ['a', 'b']) {
    await pay(http, key, lost)
    expect(await pay(http, key, paid)).toEqual([409, expect.stringContaining('idempotency_uncertain')])
  }
  await pay(http, 'c', paid)
  expect((await run('ls')).lines).toHaveLength(3)
  expect((await run('ls', '--scope', 'acct_2')).lines).toEqual([])
  const { lines } = await run('ls', '--state', 'uncertain')
  expect(lines.map(({ state, scope, endpoint }) => [state, scope, endpoint])).toEqual(
    lines.map(() => ['uncertain', 'acct_1', 'POST /v1/charges']),
  )
  const ids = lines.map(({ id }) => String(id))
  expect(ids).toHaveLength(2)

  const applied = ids[0] ?? ''
  expect((await run('show', applied)).lines).toEqual([lines[0]])
  expect(await run('resolve', applied, '--applied', '{"id":"ch_9"}')).toMatchObject({
    status: 0,
    lines: [{ id: applied, resolved: true }],
  })
  // It is settled once.
  expect(await run('resolve', applied, '--not-applied')).toMatchObject({
    status: 1,
    lines: [{ resolved: false }],
  })
  expect((await run('resolve', ids[1] ?? '', '--not-applied')).lines).toMatchObject([{ resolved: true }])
  const answers = [await pay(http, 'a', paid), await pay(http, 'b', paid)]
  expect(answers).toContainEqual([200, '{"id":"ch_9"}'])
  expect(answers).toContainEqual([201, 'paid'])
})

test('what was said is erased, by key and by scope, and is not executed again', async () => {
  const { http, run } = world()
  await pay(http, 'a', paid)
  await pay(http, 'b', paid)
  expect((await run('erase', '--scope', 'acct_1', '--key', 'a')).lines).toEqual([{ erased: 1 }])
  expect(await pay(http, 'a', paid)).toEqual([409, expect.stringContaining('response_unavailable')])
  expect(await pay(http, 'b', paid)).toEqual([201, 'paid'])
  await run('erase', '--scope', 'acct_1')
  expect((await pay(http, 'b', paid))[0]).toBe(409)
  expect((await run('reap')).lines).toEqual([{ reaped: 0 }])
  expect((await run('migrate')).status).toBe(0)
})

test.each([
  ['no command', [], 'name a command'],
  ['another command', ['list'], 'name a command'],
  ['an option that is none', ['ls', '--verbose'], '--verbose'],
  ['a state that is none', ['ls', '--state', 'lost'], '--state'],
  ['no id', ['show'], 'id of a record'],
  ['an id that is none', ['show', 'x'], 'no record'],
  ['no verdict', ['resolve', 'x'], '--applied'],
  ['two verdicts', ['resolve', 'x', '--applied', '1', '--not-applied'], '--applied'],
  ['no JSON', ['resolve', 'x', '--applied', '{'], '--applied must be JSON'],
  ['no scope', ['erase'], '--scope'],
  ['a limit that is none', ['reap', '--limit', '-1'], 'limit'],
  ['a store that is none', ['ls', '--store', `mysql://root:${secret}@h/d`], '--store must begin with'],
])('%s is wrong use', async (_, args, said) => {
  const { run } = world()
  const ran = await run(...args)
  expect(ran.status).toBe(2)
  expect(ran.said).toContain(said)
  expect(ran.said).not.toContain(secret)
})

test('help is an answer', async () => {
  expect(await runCli(['--help'], {})).toMatchObject({ status: 0, said: expect.stringContaining('doctor') })
})
