import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child } from './child.ts'
import type { Store } from './configuration.ts'
import { DeskError } from './errors.ts'

/** The bank's process. Disposing of it ends it and removes its ledger. */
export interface OpenBank extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Rejects when the bank's process ends before it is disposed of; never resolves. */
  readonly failed: Promise<never>
}

/** Starts the bank and waits until it can be called. */
export async function openBank(program: URL, store: Store): Promise<OpenBank> {
  const folder = store === 'sqlite' ? mkdtempSync(join(tmpdir(), 'delay-desk-')) : undefined
  const { promise: open, resolve } = Promise.withResolvers<string>()
  const child = new Child(program, folder === undefined ? [] : [folder], (message) => {
    const url = typeof message === 'object' && message !== null ? Reflect.get(message, 'url') : undefined
    if (typeof url === 'string') resolve(url)
  })
  const failed = child.ended.then((end): never => {
    throw new DeskError('BANK_FAILED', `the bank's process ended (${end})`)
  })
  failed.catch(() => {})
  const dispose = async (): Promise<void> => {
    await child[Symbol.asyncDispose]()
    // Where the bank was killed it could not do so itself.
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
  try {
    const url = await Promise.race([open, failed])
    return { url, pid: child.pid, failed, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}
