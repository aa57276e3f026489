import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgres } from '@loadbearing/harness/services'
import { Child } from './child.ts'
import type { Configuration, Store } from './configuration.ts'
import { DeskError } from './errors.ts'
import { type BankStart, isFailed, isOpen, type RecordsStart } from './messages.ts'

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
  await using resources = new AsyncDisposableStack()
  const ledger = await placeOf(store, resources)
  const bank = await openService('bank', program, { kind: 'bank', ledger, fortune: scenario.bank, seed })
  resources.use(bank)
  const held = resources.move()
  return { ...bank, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

/** Where the ledger is to be; what it needs is given back with `resources` as well, for a bank that was killed cannot do so itself. */
async function placeOf(store: Store, resources: AsyncDisposableStack): Promise<BankStart['ledger']> {
  if (store.kind === 'memory') return { folder: null }
  if (store.kind === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'delay-desk-'))
    resources.defer(() => rmSync(folder, { recursive: true, force: true }))
    return { folder }
  }
  if (store.url !== null) return { server: store.url }
  return { server: resources.use(await postgres()).url }
}

/** Starts the airline's records service, which knows how late each flight was, and waits until it can be called. */
export function openRecords(
  program: URL,
  { scenario, seed }: Pick<Configuration, 'scenario' | 'seed'>,
  delays: Int32Array,
): Promise<OpenService> {
  return openService('records service', program, { kind: 'records', fortune: scenario.records, seed, delays })
}

async function openService(
  name: string,
  program: URL,
  start: BankStart | RecordsStart,
): Promise<OpenService> {
  const { promise: open, resolve, reject } = Promise.withResolvers<string>()
  const child = new Child(program, (message) => {
    if (isOpen(message)) resolve(message.url)
    else if (isFailed(message)) {
      reject(new DeskError('SERVICE_FAILED', `the ${name} cannot open ${message.why}`))
    }
  })
  child.tell(start)
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
