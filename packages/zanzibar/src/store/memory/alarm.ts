import type { Clock } from '../../ports.ts'

/** The wall clock may be stepped, and a timer knows nothing of it; nor does it take a delay of more than 24 days. */
const longestSleep = 60_000

/** Calls `ring` when the wall clock has come to `due`, if it was not put off before: by calling what this returns. */
export function alarmAt(clock: Clock, due: number, ring: () => void): () => void {
  const sleep = (): unknown =>
    clock.setTimeout(look, Math.min(Math.max(1, Math.ceil(due - clock.now())), longestSleep))
  const look = (): void => {
    if (clock.now() >= due) ring()
    else timer = sleep()
  }
  let timer = sleep()
  return () => clock.clearTimeout(timer)
}
