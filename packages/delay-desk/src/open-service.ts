import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child } from './child.ts'
import type { Configuration } from './configuration.ts'
import { DeskError } from './errors.ts'
import type { RecordsStart } from './messages.ts'

/** The process of a service. Disposing of it ends it. */
export interface OpenService extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Rejects when the process ends before it is disposed of; never resolves. */
  readonly failed: Promise<never>
}

/** Starts the bank and waits until it can be called. Its ledger goes with it. */
export async function openBank(
  program: URL,
  { store, scenario, seed }: Pick<Configuration, 'store' | 'scenario' | 'seed'>,
): Promise<OpenService> {
  const folder = store === 'sqlite' ? mkdtempSync(join(tmpdir(), 'delay-desk-')) : undefined
  // Where the bank was killed it could not do so itself.
  const removeLedger = (): void => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
  const args = [scenario, String(seed), ...(folder === undefined ? [] : [folder])]
  try {
    const bank = await openService('bank', program, args)
    return {
      ...bank,
      [Symbol.asyncDispose]: async () => {
        await bank[Symbol.asyncDispose]()
        removeLedger()
      },
    }
  } catch (error) {
    removeLedger()
    throw error
  }
}

/** Starts the airline's records service, which knows how late each flight was, and waits until it can be called. */
export function openRecords(
  program: URL,
  { scenario, seed }: Pick<Configuration, 'scenario' | 'seed'>,
  delays: Int32Array,
): Promise<OpenService> {
  return openService('records service', program, [scenario, String(seed)], { kind: 'records', delays })
}

async function openService(
  name: string,
  program: URL,
  args: readonly string[],
  start?: RecordsStart,
): Promise<OpenService> {
  const { promise: open, resolve } = Promise.withResolvers<string>()
  const child = new Child(program, args, (message) => {
    const url = typeof message === 'object' && message !== null ? Reflect.get(message, 'url') : undefined
    if (typeof url === 'string') resolve(url)
  })
  if (start !== undefined) child.tell(start)
  const failed = child.ended.then((end): never => {
    throw new DeskError('SERVICE_FAILED', `the ${name}'s process ended (${end})`)
  })
  failed.catch(() => {})
  const dispose = (): Promise<void> => child[Symbol.asyncDispose]()
  try {
    const url = await Promise.race([open, failed])
    return { url, pid: child.pid, failed, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}
