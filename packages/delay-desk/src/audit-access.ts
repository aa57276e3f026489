// The second look at who did what. It imports nothing of the desk and knows no graph: roles are lists, shifts are seconds of a day.

/** Who works when, as `conf/access` has it. */
interface Staff {
  readonly name: string
  /** `06:00`. */
  readonly begins: string
  readonly ends: string
}

interface Rules {
  readonly opens: string
  readonly closes: string
  readonly agents: readonly (Staff & { readonly limit: number })[]
  readonly supervisors: readonly Staff[]
  readonly clerks: readonly Staff[]
  readonly auditors: readonly string[]
}

/** What the desk has written down: somebody asked to do something with a claim, and was let or not. */
interface Decision {
  readonly claim: number
  readonly person: string
  readonly action: 'see' | 'approve' | 'pay'
  readonly allowed: boolean
}

/** What the second count has of the claims. */
interface Claims {
  /** Money, by claim. */
  readonly owed: Uint16Array
  /** Where the flight began, by claim: a place in `codes`. */
  readonly origins: Uint16Array
  readonly codes: readonly string[]
}

/** What was found. */
export interface AccessFindings {
  readonly wrong: number
  /** The first of them. */
  readonly first: readonly string[]
}

const SHOWN = 10

/**
 * Decides every question again, and looks that each claim was seen, and that each award was approved once and paid once, by
 * somebody who may.
 *
 * @param decisions gone through twice
 */
export function auditAccess(decisions: Iterable<Decision>, claims: Claims, rules: Rules): AccessFindings {
  const first: string[] = []
  let wrong = 0
  const complain = (text: string): void => {
    wrong++
    if (first.length < SHOWN) first.push(text)
  }
  const { owed, origins, codes } = claims
  const approvers = new Map<number, string>()
  for (const { claim, person, action, allowed } of decisions)
    if (allowed && action === 'approve') approvers.set(claim, person)

  const roles = new Map<string, Roles>()
  const opens = secondOf(rules.opens)
  const span = secondOf(rules.closes) - opens
  const counts = (): Uint8Array => new Uint8Array(owed.length)
  const done = { see: counts(), approve: counts(), pay: counts() }
  for (const { claim, person, action, allowed } of decisions) {
    const known = roles.get(person) ?? rolesOf(person, rules)
    roles.set(person, known)
    const into = claim * span
    const second = opens + (into - (into % owed.length)) / owed.length
    const isHere = known.airport === codes[origins[claim] ?? -1]
    const may = mayDo(known, { action, second, isHere, amount: owed[claim] ?? 0 })
    if ((may && !(action === 'pay' && approvers.get(claim) === person)) !== allowed)
      complain(`claim ${claim}: ${person} was ${allowed ? 'let' : 'not let'} ${action} it`)
    if (allowed) done[action][claim] = (done[action][claim] ?? 0) + 1
  }
  for (let claim = 0; claim < owed.length; claim++) {
    const due = owed[claim] ?? 0
    if (done.see[claim] === 0) complain(`claim ${claim}: nobody has seen it`)
    for (const action of ['approve', 'pay'] as const) {
      const times = done[action][claim] ?? 0
      if (times !== (due === 0 ? 0 : 1))
        complain(`claim ${claim}: ${times} were let ${action} it, and ${due} is owed`)
    }
  }
  return { wrong, first }
}

type Hours = readonly [from: number, to: number]

/** What somebody is, by the lists. */
interface Roles {
  /** Of an agent. */
  readonly airport: string | undefined
  readonly agent: { readonly hours: Hours; readonly limit: number } | undefined
  readonly supervisor: Hours | undefined
  readonly clerk: Hours | undefined
  readonly auditor: boolean
}

/** `person:ada`; `person:ORD-early` is an agent at an airport. */
function rolesOf(person: string, rules: Rules): Roles {
  const [, airport, name] = /^person:(?:(.*)-)?([a-z]+)$/.exec(person) ?? []
  const find = <S extends Staff>(staff: readonly S[]): S | undefined =>
    staff.find((each) => each.name === name)
  const agent = airport === undefined ? undefined : find(rules.agents)
  const own = airport === undefined
  return {
    airport: airport === undefined ? undefined : decodeURIComponent(airport),
    agent: agent && { hours: hoursOf(agent), limit: agent.limit },
    supervisor: own ? hoursOf(find(rules.supervisors)) : undefined,
    clerk: own ? hoursOf(find(rules.clerks)) : undefined,
    auditor: own && rules.auditors.includes(name ?? ''),
  }
}

function mayDo(
  { agent, supervisor, clerk, auditor }: Roles,
  {
    action,
    second,
    isHere,
    amount,
  }: {
    readonly action: Decision['action']
    readonly second: number
    readonly isHere: boolean
    readonly amount: number
  },
): boolean {
  const works = (hours: Hours | undefined): boolean =>
    hours !== undefined && second >= hours[0] && second < hours[1]
  const isAgent = isHere && works(agent?.hours)
  if (action === 'see') return isAgent || works(supervisor) || works(clerk) || auditor
  if (action === 'approve') return (isAgent && amount <= (agent?.limit ?? 0)) || works(supervisor)
  return works(clerk)
}

function hoursOf(staff: Staff): Hours
function hoursOf(staff: Staff | undefined): Hours | undefined
function hoursOf(staff: Staff | undefined): Hours | undefined {
  return staff && [secondOf(staff.begins), secondOf(staff.ends)]
}

function secondOf(time: string): number {
  const [hours, minutes] = time.split(':')
  return Number(hours) * 3600 + Number(minutes) * 60
}
