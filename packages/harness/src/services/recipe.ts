import type { TetherOptions } from '../faults/tether.ts'
import type { ServiceKind } from './service.ts'

/** Where one server lives: a folder of its own and a port, kept while the server is killed and restarted. */
export interface ServerHome {
  /** Deleted with the server. */
  folder: string
  /** `folder/data`; empty before `prepare`. */
  data: string
  port: number
  /** Of the superuser, where the server asks for one. */
  password: string
}

export interface ServerCommand {
  program: string
  args: readonly string[]
  /** Added to a bare environment of PATH, HOME, LC_ALL and TZ. */
  env?: Readonly<Record<string, string>>
  user?: NonNullable<TetherOptions['user']>
}

/** How one kind of server is found, started and asked. */
export interface Recipe {
  kind: ServiceKind
  /** The environment variable that gives an address instead. */
  variable: string
  /** URL schemes that the address may have, with their default ports. */
  schemes: Readonly<Record<string, number>>
  stopSignal: 'SIGTERM' | 'SIGINT'
  /** Ends the server at once where nobody needs its data. */
  abortSignal: 'SIGKILL' | 'SIGQUIT'
  /** Whether tests go without it in CI as well. Default: false. */
  mayBeMissing?: boolean
  /** Looks for the program and starts nothing; the reason where it is missing. */
  find(): { found: true } | { found: false; reason: string }
  /** Gets the folder and its empty `data` ready; called again for a new port or after a reset. */
  prepare(home: ServerHome, run: (command: ServerCommand) => Promise<void>): Promise<void>
  command(home: ServerHome): ServerCommand
  url(home: ServerHome): string
  /** Whether a server of this kind answers there and takes requests. */
  answers(host: string, port: number): Promise<boolean>
  /** Removes what a killed server left outside its folder. */
  sweep?(home: ServerHome): void
}
