import type { CampaignOptions } from './campaign.ts'
import type { StoreKind } from './programs/settings.ts'

/** A way to keep keys that fails, and all that has to happen for it to be seen. */
export interface Control
  extends Pick<Required<CampaignOptions>, 'variant' | 'faults' | 'bankFaults' | 'lease' | 'tries'>,
    Pick<CampaignOptions, 'diesAt'> {
  readonly store: StoreKind
  /** The defect. */
  readonly what: string
  /** Whether its table of records is emptied by a crash of the server. */
  readonly unlogged?: boolean
}

/** Nothing happens; and nobody waits long for what these ways do not bring about. */
const calm = { faults: [], bankFaults: 0, lease: 400, tries: 12 } as const

/** None of them has more faults than the one that it does not stand. A check that finds nothing here finds nothing anywhere. */
export const controls: readonly Control[] = [
  { ...calm, store: 'postgres', variant: 'get-then-set', what: 'get, then set' },
  { ...calm, store: 'postgres', variant: 'key-without-scope', what: 'key without scope' },
  {
    ...calm,
    store: 'postgres',
    variant: 'lease-without-fence',
    what: 'lease without fence',
    faults: ['server stopped beyond two leases'],
  },
  {
    ...calm,
    store: 'postgres',
    variant: 'send-before-store',
    what: 'send before store',
    diesAt: 'request/sent',
  },
  { ...calm, store: 'postgres', variant: 'lease-as-ttl', what: 'lease as TTL', diesAt: 'request/debited' },
  {
    ...calm,
    store: 'postgres',
    variant: 'delete-on-error',
    what: 'key deleted on error',
    bankFaults: 0.5,
  },
  {
    ...calm,
    store: 'postgres',
    variant: 'ours',
    what: 'ours, table UNLOGGED',
    faults: ['store killed'],
    unlogged: true,
  },
  {
    ...calm,
    store: 'redis',
    variant: 'ours, claiming blindly',
    what: 'ours, claimed by SET without NX',
  },
  {
    ...calm,
    store: 'redis',
    variant: 'ours, handler run again',
    what: "ours, rerun: 'safe' where it is not",
    diesAt: 'handler/eval.after',
  },
  {
    ...calm,
    store: 'redis',
    variant: 'node-idempotency',
    what: '@node-idempotency/core',
    diesAt: 'request/eval.after',
  },
  {
    ...calm,
    store: 'redis',
    variant: 'powertools',
    what: '@aws-lambda-powertools/idempotency',
    diesAt: 'request/eval.after',
  },
  {
    ...calm,
    store: 'redis',
    variant: 'express-idempotency',
    what: 'express-idempotency',
    diesAt: 'request/eval.after',
  },
]
