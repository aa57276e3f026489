/** Where keys, accounts and ledger are. */
export type StoreKind = 'postgres' | 'redis' | 'sqlite'

/** What `server.ts` is told, as JSON, by its first argument. */
export interface ServerSettings {
  readonly store: StoreKind
  /** Of the store, or the path of its file. */
  readonly url: string
  readonly bank: string
  /** Milliseconds. */
  readonly lease: number
  /** Milliseconds for which the bank says it keeps keys. */
  readonly retention: number
  /** Whether it goes on with what others have abandoned. */
  readonly completes: boolean
  /** `ours`, or one of the ways that are known to fail. */
  readonly variant: string
  /** 0: any. */
  readonly port: number
}

/** What `bank.ts` is told, as JSON, by its first argument. */
export interface BankSettings {
  /** Its durable log, lines of JSON. */
  readonly log: string
  readonly seed: number
  /** Milliseconds for which it keeps keys. */
  readonly retention: number
  /** Whether it can say of every key, however old, what became of it. */
  readonly remembers: boolean
  /** Milliseconds by which it is late when it is. */
  readonly late: number
  /** The part of all calls that it loses, answers late, or answers with an error after the fact. */
  readonly faults: number
  readonly port: number
}
