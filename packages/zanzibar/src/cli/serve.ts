import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { type Authenticator, presharedKeys, zanzibarServer } from '../adapters/server.ts'
import { ZanzibarError } from '../errors.ts'
import type { IndexOffEvent } from '../events.ts'
import type { Semantics } from '../model/type-system.ts'
import { openStore } from './open-store.ts'

/** What a server is started with, as the command line has it. */
export interface ServeOptions {
  readonly store: string
  readonly host: string
  readonly port: number
  /** Preshared keys, with commas between them. */
  readonly keys: string | undefined
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly publicUrl: string | undefined
  readonly semantics: Semantics | undefined
  readonly closureIndex: boolean
}

/** Serves until the process is told to end. */
export async function serve(options: ServeOptions, say: (line: string) => void): Promise<void> {
  subscribe('loadbearing:zanzibar:index-off', tellIndexOff)
  const authenticator = await authenticatorOf(options)
  await using store = await openStore(options.store)
  await using server = zanzibarServer({
    store,
    closureIndex: options.closureIndex,
    ...(authenticator && { authenticator }),
    ...(options.publicUrl !== undefined && { publicUrl: options.publicUrl }),
    ...(options.semantics && { semantics: options.semantics }),
    onError: (error) => warn(shownError(error)),
  })
  const url = await server.listen({ host: options.host, port: options.port })
  const whom = authenticator === undefined ? 'everybody who can reach it' : 'who has a key or a token'
  say(`zanzibar listens at ${url}, for ${whom}`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
}

function tellIndexOff(message: unknown): void {
  const { storeId, entries, maxEntries } = message as IndexOffEvent
  const size = `${entries} relations of objects and tuples nest, ${maxEntries} may`
  warn(`store ${storeId} has no closure index any more, and is walked: ${size}`)
}

function warn(line: string): void {
  process.stderr.write(`zanzibar: ${line}\n`)
}

async function authenticatorOf({ keys, issuer, audience }: ServeOptions): Promise<Authenticator | undefined> {
  if (issuer === undefined && audience === undefined) {
    return keys === undefined ? undefined : presharedKeys(keys.split(','))
  }
  if (keys !== undefined)
    throw new ZanzibarError('invalid_option', 'say either preshared keys or --oidc-issuer, not both')
  const { oidc } = await import('../adapters/oidc.ts')
  return await oidc({ issuer: issuer ?? '', audience: audience ?? '' })
}

function shownError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
