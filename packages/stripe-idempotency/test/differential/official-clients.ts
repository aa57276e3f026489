import { join } from 'node:path'
import { type Oracle, startOracle } from '@loadbearing/harness/oracle'
import { type Found, findJava, findPython } from '@loadbearing/tooling/foreign-programs'

/** A call, as a client is asked to make it. */
export interface Call {
  readonly account: string
  readonly port: number
  readonly retries: number
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly key?: string
}

export type ClientName = 'stripe-node' | 'stripe-python' | 'stripe-java'

/** An official client, unchanged, in a process of its own. */
export interface OfficialClient extends AsyncDisposable {
  readonly name: ClientName
  readonly ask: Oracle['ask']
}

export const clientVersions = { stripe: '23.1.0', 'stripe (PyPI)': '16.1.0', 'stripe-java': '33.3.0' }

/** All three, or a sentence for each that cannot be had. */
export function startClients(): {
  readonly clients: readonly OfficialClient[]
  readonly missing: readonly string[]
} {
  const folder = join(import.meta.dirname, 'clients')
  const python = findPython({
    packages: [`stripe==${clientVersions['stripe (PyPI)']}`, 'requests==2.34.2'],
    cache: 'stripe-python-16.1.0',
  })
  const java = findJava({
    folder: join(folder, 'java'),
    files: ['StripeJava.java'],
    main: 'StripeJava',
    cache: 'stripe-java-33.3.0',
    jar: 'stripe-java-33.3.0.jar',
  })
  const programs: readonly (readonly [ClientName, Found, ...string[]])[] = [
    ['stripe-node', { command: process.execPath, args: [join(folder, 'stripe-node.ts')] }],
    ['stripe-python', python, join(folder, 'stripe-python.py')],
    ['stripe-java', java],
  ]
  const clients: OfficialClient[] = []
  const missing: string[] = []
  for (const [name, found, ...more] of programs) {
    if ('missing' in found) missing.push(`${name}: ${found.missing}`)
    else {
      const { command, args } = found
      const program = startOracle({ command, args: [...args, ...more], timeout: '60s' })
      clients.push({
        name,
        ask: (call) => program.ask(call),
        [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
      })
    }
  }
  return { clients, missing }
}
