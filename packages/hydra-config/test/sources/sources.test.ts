import { setImmediate } from 'node:timers/promises'
import { skipWithout } from '@loadbearing/harness/services'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isHydraConfigError } from '../../src/errors.ts'
import { compose } from '../../src/index.ts'
import type { ConfigSource } from '../../src/source/source.ts'
import {
  dirStore,
  ioredisStore,
  natsStore,
  nodeRedisStore,
  postgresStore,
  type Stand,
  type Store,
  sqliteStore,
} from './stands.ts'

const stores: readonly [string, string | false, () => Promise<Store>][] = [
  ['directory', false, dirStore],
  ['SQLite', false, sqliteStore],
  ['PostgreSQL by a Pool of pg', skipWithout('postgres'), () => postgresStore('Pool')],
  ['PostgreSQL by a Client of pg', skipWithout('postgres'), () => postgresStore('Client')],
  ['PostgreSQL by postgres', skipWithout('postgres'), () => postgresStore('postgres')],
  ['Redis by ioredis', skipWithout('redis'), () => ioredisStore(6)],
  ['Redis by ioredis 5', skipWithout('redis'), () => ioredisStore(5)],
  ['Redis by node-redis', skipWithout('redis'), () => nodeRedisStore(6)],
  ['Redis by node-redis 5', skipWithout('redis'), () => nodeRedisStore(5)],
  ['NATS KV', skipWithout('nats'), natsStore],
]

async function codeOf(work: () => unknown): Promise<string> {
  try {
    return `no error, but ${JSON.stringify(await work())}`
  } catch (error) {
    return isHydraConfigError(error) ? error.code : String(error)
  }
}

/** The next telling of a watch; fails where the watch ends. */
async function told(watch: AsyncIterator<void>): Promise<void> {
  const { done } = await watch.next()
  if (done) throw new Error('the watch has ended')
}

function watching(source: ConfigSource, signal: AbortSignal): AsyncIterator<void> {
  const watch = source.watch?.(signal)
  if (watch === undefined) throw new Error('the source cannot be watched')
  return watch[Symbol.asyncIterator]()
}

describe.each(stores)('%s', (_, skipped, open) => {
  describe.skipIf(skipped)('as a source', () => {
    let store: Store
    let stand: Stand
    /** Of another client. */
    let other: Stand

    beforeAll(async () => {
      store = await open()
      stand = await store.stand()
      other = await store.stand()
    })

    afterAll(async () => {
      await other[Symbol.asyncDispose]()
      await stand[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    })

    test('what was published is read, by this client and others', async () => {
      const files = new Map([
        ['config.yaml', 'defaults:\n- db: pg\nname: "größe \u{1F600}"\n'],
        ['db/pg.yaml', 'port: 5432\n'],
        ['a/deep/er/group/x.yaml', ''],
        ['__proto__/constructor.yaml', '__proto__: 1\n'],
        ['empty/', ''],
        ['large.yaml', `text: ${'x'.repeat(500_000)}\n`],
      ])
      await stand.publish('first', files)
      expect(new Map(await stand.source('first').files())).toEqual(files)
      expect(new Map(await other.source('first').files())).toEqual(files)
    })

    test('nothing published is a source that is not there', async () => {
      expect(await codeOf(() => stand.source('nobody').files())).toBe('SOURCE_NOT_FOUND')
    })

    test('a publication replaces all files, and its revision is higher', async () => {
      const one = await stand.publish(
        'second',
        new Map([
          ['a.yaml', 'a: 1\n'],
          ['b.yaml', 'b: 1\n'],
        ]),
      )
      const two = await other.publish('second', new Map([['b.yaml', 'b: 2\n']]))
      expect(one).toBeGreaterThanOrEqual(1)
      expect(two).toBeGreaterThan(one)
      expect(new Map(await stand.source('second').files())).toEqual(new Map([['b.yaml', 'b: 2\n']]))
    })

    test('of publications at once each has a revision of its own, and the highest is the one that stays', async () => {
      // A directory is published by other means than ours.
      if (stand.spoil === undefined) return
      const publications = await Promise.all(
        Array.from({ length: 20 }, async (__, index) => {
          const text = `by: ${index}\n`
          const by = index % 2 === 0 ? stand : other
          return { text, revision: await by.publish('raced', new Map([['config.yaml', text]])) }
        }),
      )
      expect(new Set(publications.map(({ revision }) => revision)).size).toBe(20)
      const last = publications.toSorted((one, two) => two.revision - one.revision)[0]
      expect((await stand.source('raced').files()).get('config.yaml')).toBe(last?.text)
    })

    test('names do not see each other', async () => {
      await stand.publish('left', new Map([['config.yaml', 'side: left\n']]))
      await stand.publish('right', new Map([['config.yaml', 'side: right\n']]))
      const { value } = await compose({ source: stand.source('left'), config: 'config' })
      expect(value).toEqual({ side: 'left' })
    })

    test('a reader sees one publication, never parts of two', async () => {
      const filesOf = (revision: number): ReadonlyMap<string, string> =>
        new Map(Array.from({ length: 8 }, (__, index) => [`group/${index}.yaml`, `revision: ${revision}\n`]))
      await stand.publish('torn', filesOf(0))
      const source = other.source('torn')
      const publishing = { isOver: false, revision: 0 }
      const seen = new Set<string>()
      const publications = (async () => {
        // However slow the reader is, some of it goes on while he reads.
        while (publishing.revision < 50 || (seen.size < 2 && publishing.revision < 5000)) {
          publishing.revision += 1
          await stand.publish('torn', filesOf(publishing.revision))
          await setImmediate()
        }
        publishing.isOver = true
      })()
      while (!publishing.isOver) {
        const texts = new Set((await source.files()).values())
        expect(texts.size, [...texts].join()).toBe(1)
        for (const text of texts) seen.add(text)
        // A source that has it all at hand leaves no turn to others.
        await setImmediate()
      }
      await publications
      expect(new Set((await source.files()).values())).toEqual(
        new Set([`revision: ${publishing.revision}\n`]),
      )
      expect(seen.size).toBeGreaterThan(1)
    })

    test('a watch tells that it stands, of publications of others, and ends with its signal', async () => {
      await stand.publish('watched', new Map([['config.yaml', 'a: 1\n']]))
      const controller = new AbortController()
      const source = stand.source('watched')
      const watch = watching(source, controller.signal)
      await told(watch)
      for (let revision = 2; revision < 6; revision += 1) {
        await other.publish('watched', new Map([['config.yaml', `a: ${revision}\n`]]))
        await told(watch)
        while ((await source.files()).get('config.yaml') !== `a: ${revision}\n`) await told(watch)
      }
      const last = watch.next()
      controller.abort()
      // What was told before the end may come first.
      const answers = [await last, await watch.next(), await watch.next()]
      expect(answers.at(-1)?.done).toBe(true)
    })

    test('files that are none are refused before anything is published', async () => {
      if (stand.spoil === undefined) return
      await stand.publish('strict', new Map([['config.yaml', 'a: 1\n']]))
      for (const [path, text] of [
        ['/etc/passwd', ''],
        ['../x.yaml', ''],
        ['a//b.yaml', ''],
        ['a\\b.yaml', ''],
        ['', ''],
        ['x.yaml', 'a: \0'],
        ['x.yaml', 'a: \ud800'],
        ['\ud800.yaml', 'a: 1'],
      ] as const) {
        expect(await codeOf(() => stand.publish('strict', new Map([[path, text]])))).toBe('INVALID_OPTION')
      }
      expect(new Map(await stand.source('strict').files())).toEqual(new Map([['config.yaml', 'a: 1\n']]))
    })

    test('what the store does not take is refused, and what it had stays', async () => {
      await stand.publish('large', new Map([['config.yaml', 'a: 1\n']]))
      const files = new Map([['config.yaml', `a: ${'x'.repeat(3 * 1024 * 1024)}\n`]])
      const refusal = await codeOf(() => stand.publish('large', files))
      const found = (await stand.source('large').files()).get('config.yaml')
      // NATS takes 1 MiB.
      expect([refusal, found?.length]).toEqual(
        store.service?.kind === 'nats'
          ? ['SOURCE_READ', 5]
          : [expect.stringMatching(/^no error/), 3 * 1024 * 1024 + 4],
      )
    })

    test.each(['[]', 'null', '7', '{"a.yaml": 1}', '{"../a.yaml": "x"}'])(
      '%s in its place is no folder',
      async (text) => {
        if (stand.spoil === undefined) return
        await stand.publish('spoilt', new Map([['config.yaml', 'a: 1\n']]))
        await stand.spoil('spoilt', text)
        expect(await codeOf(() => stand.source('spoilt').files())).toBe('SOURCE_READ')
      },
    )
  })
})
