import { unlessAborted } from '../aborted.ts'
import { HydraConfigError } from '../errors.ts'
import {
  checkName,
  nothingPublished,
  type PublishedSource,
  packFiles,
  storeFailed,
  unpackFiles,
} from '../source/published.ts'

export type { PublishedSource }

/** What is used of a bucket, as `Kvm` of @nats-io/kv and `views.kv` of nats give it. */
export interface NatsBucket {
  get(key: string): Promise<NatsEntry | null>
  put(key: string, text: string): Promise<number>
  watch(options: { key: string }): Promise<AsyncIterable<NatsEntry> & { stop(): void }>
}

export interface NatsEntry {
  readonly operation: string
  readonly revision: number
  string(): string
}

/** Options of {@link fromNats}. */
export interface NatsOptions {
  /** The key, of several folders in one bucket. Default `default`. */
  readonly name?: string
}

/**
 * A folder of configs under one key of a bucket of NATS KV. It must fit into one message: 1 MiB, unless the server is
 * told otherwise.
 *
 * @param bucket stays yours, as does its connection
 * @throws {HydraConfigError} `INVALID_OPTION`; of `files()`: `SOURCE_NOT_FOUND`, `SOURCE_READ`
 */
export function fromNats(bucket: NatsBucket, options: NatsOptions = {}): PublishedSource {
  if (typeof bucket?.watch !== 'function' || typeof bucket.put !== 'function') {
    throw new HydraConfigError('INVALID_OPTION', 'bucket must be a KV bucket of @nats-io/kv or nats')
  }
  const name = checkName('name', options.name ?? 'default')
  const path = `nats://${name}`
  const failed = (cause: unknown): never => {
    throw storeFailed(path, cause)
  }
  // A replica that is read may be behind the one that told of a change.
  let latest: NatsEntry | null = null
  return {
    path,
    files: async () => {
      const read = await bucket.get(name).catch(failed)
      if (latest === null || (read !== null && read.revision >= latest.revision)) latest = read
      if (latest === null || latest.operation !== 'PUT') return nothingPublished(path)
      return unpackFiles(latest.string(), path)
    },
    publish: async (files) => {
      const packed = packFiles(files)
      return await bucket.put(name, packed).catch(failed)
    },
    async *watch(signal) {
      const entries = await unlessAborted(bucket.watch({ key: name }), signal, (late) => late.stop()).catch(
        failed,
      )
      const stop = (): void => entries.stop()
      signal.addEventListener('abort', stop)
      try {
        yield
        for await (const entry of entries) {
          if (latest === null || entry.revision > latest.revision) latest = entry
          yield
        }
      } catch (cause) {
        failed(cause)
      } finally {
        signal.removeEventListener('abort', stop)
        stop()
      }
      if (!signal.aborted) failed(new Error('the watch of the bucket has ended'))
    },
  }
}
