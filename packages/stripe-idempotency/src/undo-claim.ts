import type { Clock } from './ports.ts'
import type { ClaimAnswer, ClaimRequest } from './record/record.ts'
import type { IdempotencyStore } from './store/store.ts'

/**
 * A claim that was given up, since its answer was lost or took too long, may stand. Its owner asks again and lets go, so that
 * the next one need not wait, nor take for uncertain what was never begun.
 *
 * @param late what the store answers to it yet: until then it may be on its way still, and not to be found
 */
export async function undoClaim(
  claim: ClaimRequest,
  late: Promise<ClaimAnswer> | undefined,
  { store, clock }: { readonly store: IdempotencyStore; readonly clock: Clock },
): Promise<void> {
  let underWay = late !== undefined
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  void (async () => {
    try {
      await late
      arrive()
    } catch {
      // Its connection is lost, and the claim may be with the store by the next look.
    } finally {
      underWay = false
    }
  })()
  const end = clock.monotonic() + claim.lease
  for (let pause = 100; clock.monotonic() + pause < end; pause *= 2) {
    const { promise: passed, resolve: pass } = Promise.withResolvers<void>()
    const timer = clock.setTimeout(pass, pause)
    await (underWay ? Promise.race([passed, arrived]) : passed)
    clock.clearTimeout(timer)
    const mayCome = underWay
    try {
      const found = await store.find(claim.scope, claim.key)
      if (found?.state === 'claimed' && found.owner === claim.owner) {
        // What was taken over may have phases that are committed.
        await (found.fence === 1 ? store.release(found) : store.leave(found))
        return
      }
      if (!mayCome) return
    } catch {
      // Asked again, at longer and longer intervals.
    }
  }
}
