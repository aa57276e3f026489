import { performance } from 'node:perf_hooks'
import { ZanzibarError } from '../errors.ts'
import type { Tuple } from '../tuple/tuple.ts'
import type { Space } from './open-space.ts'
import type { Answer } from './questions.ts'

/** How many tuples the questions are drawn from. */
const maxTuples = 10_000
const warmUp = 1000

/**
 * Times checks of a store, one after the other, for so many milliseconds. Half of the questions are tuples of the store, half
 * put the user of one to the object of another.
 *
 * @throws ZanzibarError `invalid_option` for a store without tuples
 */
export async function bench({ zanzibar }: Space, milliseconds: number): Promise<Answer> {
  const questions = questionsOf(await firstTuples(zanzibar))
  let asked = 0
  const ask = async (): Promise<boolean> => {
    const [user, relation, object] = questions[asked++ % questions.length] ?? ['', '', '']
    const { outcome } = await zanzibar.evaluate(user, relation, object)
    return outcome === 'allowed'
  }
  for (let at = 0; at < Math.min(warmUp, questions.length); at++) await ask()
  asked = 0
  const times: number[] = []
  let allowed = 0
  const begun = performance.now()
  for (let now = begun; now - begun < milliseconds; ) {
    if (await ask()) allowed++
    const after = performance.now()
    times.push(after - now)
    now = after
  }
  const seconds = (performance.now() - begun) / 1000
  times.sort((a, b) => a - b)
  const at = (share: number): string =>
    `${(1000 * (times[Math.floor(share * times.length)] ?? 0)).toFixed(1)} µs`
  return {
    lines: [
      `${times.length} checks of ${questions.length} questions, ${allowed} allowed`,
      `${Math.round(times.length / seconds)} a second`,
      `p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}`,
    ],
  }
}

async function firstTuples(zanzibar: Space['zanzibar']): Promise<readonly Tuple[]> {
  const tuples: Tuple[] = []
  for await (const { tuple } of zanzibar.read()) {
    tuples.push(tuple)
    if (tuples.length === maxTuples) break
  }
  if (tuples.length === 0) throw new ZanzibarError('invalid_option', 'the store has no tuples to ask about')
  return tuples
}

type Triple = readonly [user: string, relation: string, object: string]

/** Step by step through the tuples, at a distance that meets all of them. */
function questionsOf(tuples: readonly Tuple[]): readonly Triple[] {
  const distance = Math.max(1, Math.floor(tuples.length / 2) - 1)
  return tuples.flatMap(({ user, relation, object }, at): readonly Triple[] => {
    const other = tuples[(at + distance) % tuples.length]
    return [
      [user, relation, object],
      [user, other?.relation ?? relation, other?.object ?? object],
    ]
  })
}
