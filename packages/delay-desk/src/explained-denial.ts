import { openZanzibar, type TupleKey } from '@loadbearing/zanzibar'
import { accessModel } from './access.ts'
import { keyOf } from './assignment.ts'
import type { Decision } from './decisions.ts'
import { momentOf, type Roster } from './roster.ts'

/** What is known of claims. */
interface Claims {
  /** The airport's place. */
  readonly originOf: (claim: number) => number
  /** Money. */
  readonly amountOf: (claim: number) => number
}

/**
 * Why somebody was not let: one denial of the run, asked again of zanzibar with the tuples of its claim. A payment, if one was
 * denied, since somebody's own approval can stand in its way.
 */
export async function explainedDenial(
  decisions: Iterable<Decision>,
  roster: Roster,
  { originOf, amountOf }: Claims,
): Promise<string | undefined> {
  const denied = lastDenied(decisions)
  if (denied === undefined) return undefined
  const { claim, person, action } = denied
  const approver = [...decisions].find(
    (each) => each.claim === claim && each.action === 'approve' && each.allowed,
  )
  await using zanzibar = await openZanzibar({ model: await accessModel() })
  const { object = '' } = roster.airports.get(originOf(claim)) ?? {}
  const ofIt = (tuple: { readonly user: string; readonly object: string }): boolean =>
    [tuple.object, tuple.user].includes(object) || tuple.object.startsWith('carrier:')
  await zanzibar.write({
    add: [
      ...roster.tuples.filter(ofIt),
      [object, 'airport', keyOf(claim)],
      ...(action === 'pay' && approver !== undefined
        ? [[approver.person, 'approved_by', keyOf(claim)] as const]
        : []),
    ],
  })
  const now = momentOf(roster.day, claim)
  const context = action === 'approve' ? { now, amount: amountOf(claim) } : { now }
  const why = await zanzibar.explain(person, `can_${action}`, keyOf(claim), { context })
  const what = `${person} may not ${action} ${keyOf(claim)} at ${now.slice(11, 16)}`
  if (why.allowed) return `${what}, and zanzibar cannot tell why`
  // As after a shift, or above a limit.
  const conditions = why.unmet.map(({ condition, tuple }) => `${condition} of ${tupleText(tuple)}`)
  if (conditions.length > 0) return `${what}: what does not hold is ${conditions.join(' and ')}`
  const [tuples, verb] =
    why.blocking.length > 0 ? [why.blocking, 'blocked by'] : [why.missing, 'it would take']
  return `${what}: ${verb} ${tuples.map(tupleText).join(' and ')}`
}

/** Of the last claim of which a payment was denied, or else anything: who was asked first. */
function lastDenied(decisions: Iterable<Decision>): Decision | undefined {
  let found: Decision | undefined
  for (const each of decisions) {
    if (each.allowed) continue
    const isLater = found === undefined || each.claim > found.claim
    if (each.action === found?.action ? isLater : found === undefined || each.action === 'pay') found = each
  }
  return found
}

function tupleText({ user, relation, object }: TupleKey): string {
  return `${object}#${relation}@${user}`
}
