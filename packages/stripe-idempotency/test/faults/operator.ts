import { Buffer } from 'node:buffer'
import {
  applied,
  createIdempotency,
  type IdempotencyRecord,
  notApplied,
  type Verdict,
} from '@loadbearing/stripe-idempotency'
import type { BankEntry, Doubt } from './checks.ts'
import { answerTo, type Transfer } from './programs/transfer.ts'
import { type Stage, transferIn } from './stores/stage.ts'

/** Looks at what is uncertain, writes down why it is so, and settles it by what the ledger and the bank's log say. */
export class Operator {
  readonly doubts: Doubt[] = []
  readonly #stage: Stage
  readonly #asked: readonly Transfer[]
  readonly #bankLog: () => readonly BankEntry[]
  readonly #seen = new Set<string>()

  /** @param asked all that anybody asks for, or will ask for */
  constructor(stage: Stage, asked: readonly Transfer[], bankLog: () => readonly BankEntry[]) {
    this.#stage = stage
    this.#asked = asked
    this.#bankLog = bankLog
  }

  /** One look at all of them. */
  async round(): Promise<void> {
    for (const record of await this.#stage.store.list({ limit: 10_000, state: 'uncertain' })) {
      const transfer = transferIn(record, this.#asked)
      const phase = phaseInDoubt(record)
      const name = `${record.id} ${record.fence}`
      if (!this.#seen.has(name)) {
        this.#seen.add(name)
        this.doubts.push({ ...transfer, why: record.why ?? '', phase, askedSince: askedSince(record, phase) })
      }
      const verdict = await this.#verdict(record, transfer, phase)
      const idempotency = createIdempotency({ store: this.#stage.store })
      if (verdict !== undefined) await idempotency.resolve(record, verdict)
    }
  }

  async #verdict(
    record: IdempotencyRecord,
    transfer: Transfer,
    phase: string | undefined,
  ): Promise<Verdict<unknown> | undefined> {
    const credit = this.#bankLog().find(
      ({ kind, tenant, reference }) =>
        kind === 'credit' && tenant === transfer.tenant && reference === transfer.key,
    )
    if (phase === 'credited') return credit === undefined ? notApplied() : applied(creditOf(credit))
    // From here on an entry of the holder that is in doubt would come too late.
    const byHandler = phase === 'handler'
    const fenced = byHandler ? record.id : `${transfer.tenant}/${transfer.key}`
    await this.#stage.fenceOff(fenced, record.fence + 1)
    const { entries } = await this.#stage.look()
    const kind = phase === 'debited' ? 'debit' : byHandler ? 'done' : phase
    const entry = entries.find(
      (each) => each.kind === kind && each.tenant === transfer.tenant && each.key === transfer.key,
    )
    if (entry === undefined) return notApplied()
    if (phase === 'debited') return applied(null)
    // What the handler would have answered.
    if (byHandler) return applied(JSON.parse(answerTo(transfer, entry.attempt ?? '')))
    return credit && applied(answerTo(transfer, creditOf(credit)))
  }
}

function creditOf(entry: BankEntry): string {
  return String(Reflect.get(entry, 'credit'))
}

/** The phase that has an intent and no output. */
function phaseInDoubt({ journal, operation }: IdempotencyRecord): string | undefined {
  if (operation === null) return 'handler'
  return [...journal.keys()]
    .filter((name) => name.endsWith(':intent'))
    .map((name) => name.slice(0, -':intent'.length))
    .find((name) => !journal.has(name))
}

function askedSince({ journal }: IdempotencyRecord, phase: string | undefined): number | null {
  const intent = journal.get(`${phase}:intent`)
  if (phase !== 'credited' || intent === undefined) return null
  const { value }: { value: { firstAttemptAt: number } } = JSON.parse(Buffer.from(intent).toString('utf8', 1))
  return Date.now() - value.firstAttemptAt
}
