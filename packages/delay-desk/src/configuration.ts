import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DeepReadonly } from '@loadbearing/hydra-config'
import { z } from 'zod'

const milliseconds = z.tuple([z.int().min(0), z.int().min(1)]).readonly()
const fortune = z.object({ fair: milliseconds, trouble: milliseconds }).nullable()

const rule = z.object({
  delay: z.int().min(1),
  beyond: z.number().min(0),
  amount: z.int().min(1).max(65_535),
})

/** What `conf/` composes to. */
export const schema = z
  .strictObject({
    flights: z.strictObject({
      path: z.string().regex(/\.(?:json|parquet)$/, 'must end in .json or .parquet'),
      limit: z.int().min(1).nullable(),
    }),
    airports: z.string().min(1),
    scenario: z.strictObject({ name: z.string(), records: fortune, bank: fortune }),
    store: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('memory') }),
      z.strictObject({ kind: z.literal('sqlite') }),
      z.strictObject({ kind: z.literal('postgres'), url: z.string().nullable() }),
    ]),
    policy: z.strictObject({ name: z.string(), currency: z.string(), rules: z.array(rule).min(1) }),
    seed: z.int().min(0),
    desk: z.strictObject({
      workers: z.int().min(1).max(64),
      kill: z.enum(['paid', 'taken', 'hang', 'nobody']),
      breaker: z.boolean(),
    }),
  })
  .refine(({ desk: { workers, kill } }) => workers !== 1 || kill === 'nobody', {
    path: ['desk', 'workers'],
    message: '1: nobody is left to take the claims of a killed worker; add desk.kill=nobody',
  })

export type Configuration = DeepReadonly<z.output<typeof schema>>

/** Where the bank keeps its ledger. */
export type Store = Configuration['store']

/** `${dataset:flights-20k.json}`: a file of vega-datasets. The package exports no data files, but its entry, which lies beside them. */
export function dataset(file: string): string {
  return join(fileURLToPath(import.meta.resolve('vega-datasets')), '../../data', file)
}
