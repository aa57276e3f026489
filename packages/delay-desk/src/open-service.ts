import { Child } from './child.ts'
import type { Configuration } from './configuration.ts'
import { DeskError } from './errors.ts'
import { type BankStart, isFailed, isOpen, type RecordsStart } from './messages.ts'

/** The process of a service. Disposing of it ends it. */
export interface OpenService extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Rejects when the process ends before it is disposed of; never resolves. */
  readonly failed: Promise<never>
}

/** Starts the airline's records service, which knows how late each flight was, and waits until it can be called. */
export function openRecords(
  program: URL,
  { scenario, seed }: Pick<Configuration, 'scenario' | 'seed'>,
  delays: Int32Array,
): Promise<OpenService> {
  return openService('records service', program, { kind: 'records', fortune: scenario.records, seed, delays })
}

/**
 * Starts a service and waits until it can be called.
 *
 * @throws DeskError `SERVICE_FAILED` where it cannot
 */
export async function openService(
  name: string,
  program: URL,
  start: BankStart | RecordsStart,
): Promise<OpenService & Pick<Child, 'tell'>> {
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
  const tell = (message: object): void => child.tell(message)
  try {
    const url = await Promise.race([open, failed])
    return { url, pid: child.pid, failed, tell, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}
