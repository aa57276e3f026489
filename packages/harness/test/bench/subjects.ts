import type { Prepared } from '@loadbearing/harness/bench'

type Summing = Prepared<number, number>

// Not a formula, for the time is to grow with the work.
function sum(to: number): number {
  let total = 0
  for (let n = 1; n <= to; n++) total += n
  return total
}

export const prepare = (): Summing => ({ call: sum })

export const tenfold = (): Summing => ({
  call(to) {
    let total = 0
    for (let turn = 0; turn < 10; turn++) total += sum(to)
    return total / 10
  },
})

export const wrong = (): Summing => ({ call: (to) => (to === 1007 ? 0 : sum(to)) })

export const later = (): Prepared<number, Promise<number>> => ({ call: async (to) => sum(to) })

export const fromInput = ({ factor }: { factor: number }): Summing => ({
  call: sum,
  answer: (total) => total * factor,
})

export const holding = (): Summing => {
  const held = new Float64Array(5_000_000)
  return { call: (to) => sum(to) + (held[to] ?? 0) }
}

export const allocating = (): Prepared<number, number[]> => ({
  call: (to) => Array.from({ length: 100 }, () => to),
  answer: ([to]) => sum(to ?? 0),
})

export const identified = (): Summing => ({ call: sum, answer: () => process.pid })

export const throwing = (): Summing => {
  throw new RangeError('not today')
}

export const nothing = (): undefined => undefined

export const leaving = (): Summing => ({ call: () => process.exit(9) })

export const leavingLater = (): Summing => {
  let calls = 0
  return {
    // The 16 answers come; a warm-up and 5 rounds are at least 6 calls more.
    call: (to) => (++calls > 20 ? process.exit(9) : sum(to)),
  }
}

export const hanging = (): Summing => ({
  call(to) {
    for (;;) if (to < 0) return to
  },
})
