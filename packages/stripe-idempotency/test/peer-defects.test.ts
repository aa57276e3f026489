import { readFileSync } from 'node:fs'
import { Idempotency as NodeIdempotency } from '@node-idempotency/core'
import { MemoryStorageAdapter } from '@node-idempotency/storage-adapter-memory'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type Asked,
  atOnce,
  came,
  comingLater,
  ExpressServer,
  minute,
  nodeAnswers,
  ourAnswers,
  ourKey,
  powertoolsKey,
  wakes,
} from './peers.ts'

const peers = ['@aws-lambda-powertools/idempotency', '@node-idempotency/core', 'express-idempotency'] as const

function versionOf(peer: string): string {
  const manifest = new URL(`../node_modules/${peer}/package.json`, import.meta.url)
  return String(JSON.parse(readFileSync(manifest, 'utf8')).version)
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] })
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'charges')
  vi.stubEnv('POWERTOOLS_IDEMPOTENCY_DISABLED', 'false')
  for (const method of ['warn', 'log'] as const) vi.spyOn(console, method).mockImplementation(() => {})
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** What happens where ours and a peer go through the same thing. */
interface Defect {
  readonly peer: (typeof peers)[number]
  readonly defect: string
  readonly ours: () => Promise<unknown>
  readonly theirs: () => Promise<unknown>
  readonly right: unknown
  readonly wrong: unknown
}

const defects: readonly Defect[] = [
  {
    peer: '@aws-lambda-powertools/idempotency',
    defect: 'a holder that was paused overwrites the answer of the one that took over',
    right: ['B', 'B', 'B'],
    wrong: ['B', 'A', 'A'],
    async ours() {
      const { once, pass } = ourKey()
      return wakes(
        once,
        () => pass(2 * minute),
        async () => 'A',
      )
    },
    async theirs() {
      const once = powertoolsKey()
      const pass = (): unknown => vi.setSystemTime(Date.now() + 2 * minute)
      return wakes(
        (work) => once(work, minute),
        pass,
        async () => 'A',
      )
    },
  },
  {
    peer: '@aws-lambda-powertools/idempotency',
    defect: 'a holder that fails late deletes the answer of the one that took over, and a third executes',
    right: ['B', 'late', 'B'],
    wrong: ['B', 'late', 'C'],
    async ours() {
      const { once, pass } = ourKey()
      return wakes(
        once,
        () => pass(2 * minute),
        () => Promise.reject(new Error('late')),
      )
    },
    async theirs() {
      const once = powertoolsKey()
      const pass = (): unknown => vi.setSystemTime(Date.now() + 2 * minute)
      return wakes(
        (work) => once(work, minute),
        pass,
        () => Promise.reject(new Error('late')),
      )
    },
  },
  {
    peer: '@aws-lambda-powertools/idempotency',
    defect: 'the cache layer drops the hash of the payload: an identical retry is a mismatch',
    right: ['first', 'first', 'mismatch'],
    wrong: [
      'first',
      'Payload does not match stored record for this event key',
      'Payload does not match stored record for this event key',
    ],
    async ours() {
      const { once } = ourKey()
      const first = await once(async () => 'first')
      return [first, await once(async () => 'again'), await came(once(async () => 'other', { amount: 6 }))]
    },
    async theirs() {
      const once = powertoolsKey(true)
      const first = await once(async () => 'first', minute)
      const again = await came(once(async () => 'again', minute))
      return [first, again, await came(once(async () => 'other', minute, { key: 'k', amount: 6 }))]
    },
  },
  {
    peer: '@aws-lambda-powertools/idempotency',
    defect: 'with 0 ms remaining no expiry is stored: a duplicate executes beside the first',
    right: 'in_use',
    wrong: 'executed again',
    ours: () => atOnce(ourKey().once),
    async theirs() {
      const once = powertoolsKey()
      return atOnce((work) => once(work, 0))
    },
  },
  {
    peer: '@node-idempotency/core',
    defect: 'a path and a key that meet in `method:path:key` get the answer of another route',
    right: ['of /a', 'of /a:b'],
    wrong: ['of /a', 'of /a'],
    ours: () => ourAnswers(colliding),
    theirs: () => nodeAnswers(colliding),
  },
  {
    peer: '@node-idempotency/core',
    defect: 'members in another order are another request',
    right: ['first', 'first'],
    wrong: ['first', 'Idempotency-Key is already used'],
    ours: () => ourAnswers(reordered),
    theirs: () => nodeAnswers(reordered),
  },
  {
    peer: '@node-idempotency/core',
    defect: 'another user gets the answer',
    right: ['of alice', 'of mallory'],
    wrong: ['of alice', 'of alice'],
    ours: () => ourAnswers(ofTwo),
    theirs: () => nodeAnswers(ofTwo),
  },
  {
    peer: '@node-idempotency/core',
    defect: 'once a key has expired, of two at the same time both execute',
    right: ['claimed', 'in_use'],
    wrong: ['claimed', 'claimed'],
    async ours() {
      const { once, pass } = ourKey()
      await once(async () => 'first')
      pass(25 * 60 * minute)
      const end = Promise.withResolvers<unknown>()
      const [one, other] = [once(() => end.promise), came(once(() => end.promise))]
      const second = await other
      end.resolve('claimed')
      return [await one, second]
    },
    async theirs() {
      const node = new NodeIdempotency(new MemoryStorageAdapter())
      const request = { method: 'POST', path: '/charges', headers: { 'idempotency-key': 'k' }, body: {} }
      await node.onRequest(request)
      await node.onResponse(request, { body: 'first' })
      vi.setSystemTime(Date.now() + 25 * 60 * minute)
      const claim = async (): Promise<unknown> => (await came(node.onRequest(request))) ?? 'claimed'
      return Promise.all([claim(), claim()])
    },
  },
  {
    peer: 'express-idempotency',
    defect: 'of two at the same time both execute',
    right: ['execution', 'in_use'],
    wrong: ['execution 1', 'execution 2'],
    async ours() {
      const { once } = ourKey()
      const end = Promise.withResolvers<unknown>()
      const [one, other] = [once(() => end.promise), came(once(() => end.promise))]
      const second = await other
      end.resolve('execution')
      return [await one, second]
    },
    async theirs() {
      const server = new ExpressServer(true)
      return Promise.all([server.answer(), server.answer()])
    },
  },
  {
    peer: 'express-idempotency',
    defect: 'one that comes while another is being claimed is never answered, its error left to nobody',
    right: ['execution', 'in_use'],
    wrong: [
      'A previous request is still in progress for this key.',
      'execution 1',
      'execution 2',
      'nothing was sent: Duplicate',
    ],
    ours: () =>
      comingLater(() => {
        const { once } = ourKey()
        return () => came(once(async () => 'execution'))
      }),
    theirs: () =>
      comingLater(() => {
        const server = new ExpressServer(true)
        return () => server.answer()
      }),
  },
  {
    peer: 'express-idempotency',
    defect: 'a header of the client, `x-hit: true`, passes for a replay: nothing is ever sent',
    right: ['execution 1'],
    wrong: 'nothing was sent',
    ours: () => ourAnswers([{ key: 'k', answers: 'execution 1' }]),
    theirs: () => new ExpressServer(true).answer({ 'x-hit': 'true' }),
  },
  {
    peer: 'express-idempotency',
    defect: 'the handler runs again after a replay, unless it asks whether it must not',
    right: [['execution 1', 'execution 1'], 1],
    wrong: [['execution 1', 'execution 1'], 2],
    async ours() {
      const { once } = ourKey()
      let executions = 0
      const work = async (): Promise<string> => `execution ${++executions}`
      return [[await once(work), await once(work)], executions]
    },
    async theirs() {
      const server = new ExpressServer(false)
      const answers = [await server.answer(), await server.answer()]
      return [answers, server.executions]
    },
  },
]

const colliding: readonly Asked[] = [
  { path: '/a', key: 'b:c', answers: 'of /a' },
  { path: '/a:b', key: 'c', answers: 'of /a:b' },
]
const reordered: readonly Asked[] = [
  { key: 'k', body: { amount: 5, currency: 'usd' }, answers: 'first' },
  { key: 'k', body: { currency: 'usd', amount: 5 }, answers: 'second' },
]
const ofTwo: readonly Asked[] = [
  { key: 'k', account: 'alice', answers: 'of alice' },
  { key: 'k', account: 'mallory', answers: 'of mallory' },
]

describe('defects of the peers, ours right and theirs shown wrong', () => {
  test.each(defects.map((each) => [`${each.peer} ${versionOf(each.peer)}: ${each.defect}`, each] as const))(
    '%s',
    async (_, { ours, theirs, right, wrong }) => {
      expect(await ours()).toEqual(right)
      expect(await theirs()).toEqual(wrong)
    },
  )
})
