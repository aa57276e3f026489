import type { Backend } from '@loadbearing/maglev'

/** Two tables without an owner in common, so that a mixture of them shows. */
export const tableOptions = { tableSize: 65_537 }

const down = (parity: number): Backend[] =>
  Array.from({ length: 20 }, (_, i) => ({
    id: `backend-${i}`,
    health: i % 2 === parity ? 'unhealthy' : 'healthy',
  }))

export const evenDown: readonly Backend[] = down(0)
export const oddDown: readonly Backend[] = down(1)

/** Hashes that lie all over the table. */
export const keys: readonly number[] = Array.from({ length: 500 }, (_, i) => i * 131)
