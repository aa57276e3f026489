import { startChild } from '@loadbearing/harness/faults'
import { tokensOf } from '../../src/consistency/token.ts'
import { memoryStore, openZanzibar, type TupleStore, type ZanzibarWrite } from '../../src/index.ts'
import { type Cast, enemyModel } from './new-enemy.ts'
import { openStore } from './open-store.ts'

export interface OpenCast extends AsyncDisposable {
  readonly cast: Cast
}

const writer = new URL('programs/acl-writer.ts', import.meta.url)

/**
 * Opens a cast on one storage: on one store in memory, by three connections to PostgreSQL, or to an SQLite database, where the
 * writer of ACLs is another process.
 */
export async function openCast(address: string, name: string): Promise<OpenCast> {
  await using held = new AsyncDisposableStack()
  const open = async (): Promise<TupleStore> =>
    address === 'memory' ? held.use(memoryStore()) : held.use(await openStore(address)).store
  const contentStore = await open()
  const readerStore = address === 'memory' ? contentStore : await open()
  const content = await openZanzibar({ store: contentStore, model: enemyModel, name })
  const indexed = held.use(
    await openZanzibar({ store: readerStore, model: enemyModel, name, closureIndex: true }),
  )
  const plain = await openZanzibar({ store: readerStore, model: enemyModel, name })
  const tokens = tokensOf(readerStore.identity, plain.storeId)
  const aclWriter = async (): Promise<Cast['acl']> => {
    if (address !== 'memory' && !address.startsWith('postgres')) return remoteWriter(held, address, name)
    const own =
      address === 'memory' ? content : await openZanzibar({ store: await open(), model: enemyModel, name })
    return async (write) => (await own.write(write)).token
  }
  const cast: Cast = {
    acl: await aclWriter(),
    content,
    readers: [indexed, plain],
    revisionOf: (token) => tokens.read(token),
  }
  const all = held.move()
  return { cast, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

async function remoteWriter(held: AsyncDisposableStack, address: string, name: string): Promise<Cast['acl']> {
  const child = held.use(await startChild(writer, { args: [address, name] }))
  await child.message((message) => message === 'ready', { within: '60s' })
  const waiting = new Map<number, PromiseWithResolvers<string>>()
  let asked = 0
  const listen = async (): Promise<void> => {
    for (;;) {
      const message = await child.message(isAnswer, { within: '60s' })
      if (isAnswer(message)) waiting.get(message.id)?.resolve(message.token)
    }
  }
  const fail = (error: unknown): void => {
    for (const { reject } of waiting.values()) reject(error)
  }
  return async (write: ZanzibarWrite) => {
    const id = ++asked
    const answered = Promise.withResolvers<string>()
    waiting.set(id, answered)
    if (id === 1) listen().catch(fail)
    await child.send({ id, write: JSON.stringify(write) })
    try {
      return await answered.promise
    } finally {
      waiting.delete(id)
    }
  }
}

interface Answer {
  readonly id: number
  readonly token: string
}

function isAnswer(message: unknown): message is Answer {
  return typeof message === 'object' && message !== null && 'token' in message
}
