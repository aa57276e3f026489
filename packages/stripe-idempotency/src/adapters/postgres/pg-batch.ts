import type { Answered, Step } from './client.ts'

/** What is used of the protocol's side of a connection of pg. */
interface PgWire {
  readonly parsedStatements: Readonly<Record<string, string>>
  readonly stream: { cork(): void; uncork(): void }
  bind(config: { readonly statement: string; readonly values: readonly unknown[] }): void
  execute(config: { readonly portal: string }): void
  sync(): void
  sendCopyFail(message: string): void
}

/** A connection of pg, as far as statements go to it in one message. */
export interface PgSubmitting {
  query(batch: PgBatch): unknown
}

/**
 * Whether this is a connection of pg that answers one query before it is sent the next (one with a pipeline takes no
 * batch), and all of the statements have been prepared on it.
 */
export function takesBatch(client: object, steps: readonly Step[]): client is PgSubmitting {
  const wire: unknown = Reflect.get(client, 'connection')
  return (
    isWire(wire) &&
    Reflect.get(client, 'pipeline') !== true &&
    steps.every(([{ name, text }]) => wire.parsedStatements[name] === text)
  )
}

function isWire(wire: unknown): wire is PgWire {
  return (
    typeof wire === 'object' &&
    wire !== null &&
    'parsedStatements' in wire &&
    'bind' in wire &&
    'sync' in wire
  )
}

/**
 * Prepared statements that go to the server together and are answered together, as a query of pg's own making: of the
 * protocol's messages only the last one is a Sync, so that after a statement that fails the server passes over the rest.
 * It asks for no description of the rows, which are text.
 */
export class PgBatch {
  readonly answered: Promise<Answered>
  /** Called by pg as well, where its own time limit has passed. */
  callback: (error: unknown, answered?: Answered) => void
  readonly #steps: readonly Step[]
  readonly #rows: (readonly unknown[])[] = []
  #tag = ''

  constructor(steps: readonly Step[]) {
    this.#steps = steps
    const { promise, resolve, reject } = Promise.withResolvers<Answered>()
    this.answered = promise
    this.callback = (error, answered) => (answered === undefined ? reject(error) : resolve(answered))
  }

  submit(wire: PgWire): null {
    wire.stream.cork()
    try {
      for (const [{ name }, values] of this.#steps) {
        wire.bind({ statement: name, values: values.map(parameter) })
        wire.execute({ portal: '' })
      }
    } finally {
      wire.sync()
      wire.stream.uncork()
    }
    return null
  }

  handleDataRow({ fields }: { readonly fields: readonly unknown[] }): void {
    this.#rows.push(fields)
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#tag = text
  }

  handleReadyForQuery(): void {
    this.callback(null, { rows: this.#rows, tag: this.#tag })
  }

  handleError(error: unknown): void {
    this.callback(error)
  }

  // What no statement of ours brings about.
  handleRowDescription(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}

  handleCopyInResponse(wire: PgWire): void {
    wire.sendCopyFail('nothing is copied')
  }
}

/** As pg sends it: numbers and booleans as text, texts and bytes as they are. */
function parameter(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
}
