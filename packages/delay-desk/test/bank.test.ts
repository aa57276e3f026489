import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OpenService, openBank } from '../src/open-service.ts'
import { Bank } from '../src/payment.ts'
import { newFolder, removeFolders } from './folders.ts'

const program = new URL('../src/bank.ts', import.meta.url)
const calm = { name: 'calm', records: null, bank: null }
let open: OpenService
beforeAll(async () => {
  open = await openBank(program, { store: { kind: 'memory' }, scenario: calm, seed: 1 })
})
afterAll(async () => {
  await open[Symbol.asyncDispose]()
  removeFolders()
})

/** Answers status and body. */
async function call(
  method: string,
  path: string,
  body = '',
  headers: Record<string, string> = {},
): Promise<[number, string]> {
  const sent = request(`${open.url}${path}`, { method, headers })
  sent.end(body)
  const [response] = await once(sent, 'response')
  return [response.statusCode, await text(response)]
}

test('pays once, shows its ledger, and refuses another amount without paying any of the order', async () => {
  const bank = new Bank(open.url)
  expect(await bank.pay('worker-1', [[1, 15]])).toEqual({ paid: 1, replayed: 0 })
  const both = await Promise.all([bank.pay('worker-1', [[2, 30]]), bank.pay('worker-2', [[2, 30]])])
  expect(both.toSorted((a, b) => a.paid - b.paid)).toEqual([
    { paid: 0, replayed: 1 },
    { paid: 1, replayed: 0 },
  ])
  await expect(
    bank.pay('worker-2', [
      [3, 15],
      [1, 30],
    ]),
  ).rejects.toThrow('the bank answered 409: {"error":"claim 1 was paid 15, now 30 is asked"}')
  expect(await bank.statement()).toEqual({
    paid: 2,
    replayed: 1,
    payments: [
      [1, 15],
      [2, 30],
    ],
  })
})

test.each([
  ['POST', '/payments', 'not json', 400],
  ['POST', '/payments', '{"worker":"w","payments":[[1]]}', 400],
  ['POST', '/payments', '{"worker":"w","payments":[[1,-5]]}', 400],
  ['POST', '/payments', '{"worker":"w","payments":[[1.5,5]]}', 400],
  ['POST', '/payments', '{"__proto__":{"worker":"w"},"payments":[]}', 400],
  ['POST', '/payments', `[${'[1,15],'.repeat(200_000)}[1,15]]`, 413],
  ['POST', '/payments', '{"worker":"w","payments":[[9,0]]}', 500],
  ['PUT', '/payments', '', 405],
  ['GET', '/', '', 404],
])('answers %s %s with %.40s by %d', async (method, path, body, status) => {
  expect(await call(method, path, body)).toEqual([status, expect.stringMatching(/^\{"error":".+"\}$/)])
})

test('a payment that was confirmed is in the file after SIGKILL', async () => {
  const folder = newFolder()
  const child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' })
  child.send({ kind: 'bank', ledger: { folder }, fortune: null, seed: 1 })
  const [{ url }] = await once(child, 'message')
  await new Bank(url).pay('worker-1', [[7, 400]])
  child.kill('SIGKILL')
  await once(child, 'exit')
  using database = new DatabaseSync(join(folder, 'ledger.sqlite'))
  expect(database.prepare('SELECT claim, amount FROM payment').all()).toEqual([{ claim: 7, amount: 400 }])
})
