/** All that was seen of one run, once it has come to rest. */
export interface Seen {
  readonly asked: readonly Asked[]
  /** In the order in which it was written. */
  readonly ledger: readonly Entry[]
  /** Of all local accounts together, before and after. */
  readonly before: number
  readonly after: number
  /** What the bank heard and did, in order. */
  readonly bank: readonly BankEntry[]
  /** Records that are not completed after healing. */
  readonly open: readonly OpenRecord[]
  /** Records that were uncertain at some time. */
  readonly doubts: readonly Doubt[]
}

/** A transfer, and what its clients had. */
export interface Asked {
  readonly tenant: string
  readonly key: string
  readonly amount: number
  /** The bank has a part in it, or not. */
  readonly to: 'bank' | 'savings'
  readonly memo: string
  /** Definitive: of status 200. */
  readonly answers: readonly string[]
  /** Whatever came with another status. */
  readonly refusals: readonly string[]
}

/** A row that a transfer left. */
export interface Entry {
  readonly tenant: string
  readonly key: string
  readonly kind: string
  readonly amount: number
  readonly fence: number
  /** Of the try that wrote it, where it has one. */
  readonly attempt?: string
}

/** A line of the bank's log: it was asked with a key, or credited. */
export interface BankEntry {
  readonly kind: 'call' | 'credit'
  readonly tenant: string
  readonly reference: string
  readonly amount: number
  readonly fence: number
  /** Milliseconds since 1970. */
  readonly at: number
}

export interface OpenRecord {
  readonly tenant: string
  readonly state: string
  readonly why: string | null
}

/** A record that says nobody knows. */
export interface Doubt {
  readonly tenant: string
  readonly key: string
  readonly why: string
  /** The phase that began and did not end. */
  readonly phase: string | undefined
  /** Milliseconds since the bank was, or may have been, first asked for it; null: the phase is not that of the bank. */
  readonly askedSince: number | null
}

/** What the run was like, as far as it says what is right. */
export interface Circumstances {
  /** Milliseconds for which the bank says it keeps keys. */
  readonly retention: number
  /** Whether local phases are committed with their record. */
  readonly transactional: boolean
}

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7'

export interface Violation {
  readonly invariant: Invariant
  readonly what: string
}

/** What does not hold of the invariants of section 6 of the specification. */
export function violationsOf(seen: Seen, circumstances: Circumstances): readonly Violation[] {
  return [
    ...balance(seen),
    ...seen.asked.flatMap((asked) => [
      ...ledgerOf(asked, seen),
      ...bankOf(asked, seen, circumstances.retention),
      ...answersTo(asked),
      ...fencesOf(asked, seen),
      ...strangersIn(asked, seen),
    ]),
    ...rest(seen),
    ...doubtsWithoutReason(seen, circumstances),
  ]
}

/** I1: no money is made or lost. */
function balance({ before, after, bank }: Seen): Violation[] {
  const credited = bank.reduce((sum, { kind, amount }) => (kind === 'credit' ? sum + amount : sum), 0)
  return before === after + credited
    ? []
    : violation('I1', `${before} became ${after} here and ${credited} at the bank`)
}

/** I2: each entry of a transfer is there once at most, and once if any client was told that it was made. */
function ledgerOf(asked: Asked, { ledger }: Seen): Violation[] {
  return ['debit', 'done'].flatMap((kind) => {
    const count = ledger.filter((each) => isOf(asked, each.tenant, each.key) && each.kind === kind).length
    if (count > 1) return violation('I2', `${nameOf(asked)}: ${count} entries ${kind}`)
    return count === 0 && asked.answers.length > 0
      ? violation('I2', `${nameOf(asked)}: answered, and no entry ${kind}`)
      : []
  })
}

/** I3: the bank credits it once at most, as often as it was debited here, and is not asked once it may have forgotten. */
function bankOf(asked: Asked, { ledger, bank }: Seen, retention: number): Violation[] {
  const heard = bank.filter(({ tenant, reference }) => isOf(asked, tenant, reference))
  const { length: credits } = heard.filter(({ kind }) => kind === 'credit')
  const late = heard.filter(({ at }) => at >= (heard[0]?.at ?? at) + retention)
  if (asked.to === 'savings') {
    return heard.length === 0 ? [] : violation('I3', `${nameOf(asked)}: the bank heard of it`)
  }
  const { length: debits } = ledger.filter(
    ({ kind, tenant, key }) => kind === 'debit' && isOf(asked, tenant, key),
  )
  return [
    ...(credits > 1 ? violation('I3', `${nameOf(asked)}: credited ${credits} times`) : []),
    ...(credits === debits
      ? []
      : violation('I3', `${nameOf(asked)}: ${debits} debits here, ${credits} credits at the bank`)),
    ...(late.length > 0
      ? violation('I3', `${nameOf(asked)}: the bank was asked once it may have forgotten`)
      : []),
  ]
}

/** I4: all definitive answers are the same bytes. */
function answersTo(asked: Asked): Violation[] {
  const different = new Set(asked.answers)
  return different.size < 2
    ? []
    : violation('I4', `${nameOf(asked)}: answered ${[...different].join(' and ')}`)
}

/** I5: at rest nobody holds anything, and nothing is in doubt. */
function rest({ open }: Seen): Violation[] {
  return open.flatMap(({ tenant, state, why }) =>
    violation('I5', `${tenant}: a record is ${state}${why === null ? '' : `: ${why}`}`),
  )
}

/** I5: what is uncertain is so because the other side may have forgotten, or because no transaction covers it. */
function doubtsWithoutReason({ doubts }: Seen, { retention, transactional }: Circumstances): Violation[] {
  return doubts.flatMap((doubt) => {
    const { why, phase, askedSince } = doubt
    const forgotten = phase === 'credited' && askedSince !== null && askedSince >= retention * 0.95
    const uncovered = !transactional && (phase === 'debited' || phase === 'done' || phase === 'handler')
    return forgotten || uncovered
      ? []
      : violation('I5', `${nameOf(doubt)}: uncertain without reason, in ${phase}: ${why}`)
  })
}

/** I6: once a holder has written something, none before it does. */
function fencesOf(asked: Asked, { ledger }: Seen): Violation[] {
  const fences = ledger.filter(({ tenant, key }) => isOf(asked, tenant, key)).map(({ fence }) => fence)
  return fences.some((fence, at) => fence < (fences[at - 1] ?? 0))
    ? violation('I6', `${nameOf(asked)}: written by fences ${fences.join(', ')}, one after the other`)
    : []
}

/** I7: nobody is told anything of another tenant's. */
function strangersIn(asked: Asked, { asked: all }: Seen): Violation[] {
  const memos = new Set(all.filter(({ tenant }) => tenant !== asked.tenant).map(({ memo }) => memo))
  return [...asked.answers, ...asked.refusals].flatMap((text) => {
    const stranger = [...memos].find((memo) => text.includes(memo))
    return stranger === undefined ? [] : violation('I7', `${nameOf(asked)}: told of ${stranger}`)
  })
}

function violation(invariant: Invariant, what: string): Violation[] {
  return [{ invariant, what }]
}

function isOf(asked: Asked, tenant: string, key: string): boolean {
  return asked.tenant === tenant && asked.key === key
}

function nameOf({ tenant, key }: { readonly tenant: string; readonly key: string }): string {
  return `${tenant}/${key}`
}
