import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DeepReadonly } from '@loadbearing/hydra-config'
import { z } from 'zod'

/** What the bank keeps longer fits in what its package takes. */
const MAX_RETENTION_MS = 30 * 86_400_000

const milliseconds = z.tuple([z.int().min(0), z.int().min(1)]).readonly()
const fortune = z.object({ fair: milliseconds, trouble: milliseconds }).nullable()
const deaths = z.strictObject({
  times: z.int().min(0),
  after: z.tuple([z.int().min(0), z.int().min(0)]).readonly(),
  at: z.array(z.enum(['received', 'begun', 'applied', 'kept'])).min(1),
})

const rule = z.object({
  delay: z.int().min(1),
  beyond: z.number().min(0),
  amount: z.int().min(1).max(65_535),
})

const time = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, "must be a time of day, as '06:30'")
const name = z.string().regex(/^[a-z]+$/, 'must be a name in lower-case letters')
const shift = z.strictObject({ name, begins: time, ends: time })
const staff = z.array(shift).min(1).refine(onceEach, 'must not name anybody twice')

const access = z.strictObject({
  date: z.iso.date(),
  opens: time,
  closes: time,
  agents: z
    .array(shift.extend({ limit: z.int().min(0) }))
    .min(1)
    .refine(onceEach, 'must not name anybody twice'),
  supervisors: staff,
  clerks: staff,
  auditors: z.array(name),
})

/** What `conf/` composes to. */
export const schema = z
  .strictObject({
    flights: z.strictObject({
      path: z.string().regex(/\.(?:json|parquet)$/, 'must end in .json or .parquet'),
      limit: z.int().min(1).nullable(),
    }),
    airports: z.string().min(1),
    scenario: z.strictObject({ name: z.string(), records: fortune }),
    bank: z.strictObject({
      name: z.string(),
      fortune,
      dies: deaths.nullable(),
      retention: z.int().min(0).max(MAX_RETENTION_MS),
      lookups: z.enum(['always', 'closing']),
    }),
    store: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('memory') }),
      z.strictObject({ kind: z.literal('sqlite'), synchronous: z.enum(['normal', 'full']) }),
      z.strictObject({ kind: z.literal('postgres'), url: z.string().nullable() }),
    ]),
    policy: z.strictObject({
      name: z.string(),
      currency: z.string(),
      iso: z.string().regex(/^[a-z]{3}$/, 'must be three lower-case letters, as eur'),
      rules: z.array(rule).min(1),
    }),
    access: access.refine(({ opens, closes }) => opens < closes, {
      path: ['closes'],
      message: 'must be after the desk opens',
    }),
    seed: z.int().min(0),
    keep: z.string().min(1).nullable(),
    desk: z.strictObject({
      workers: z.int().min(1).max(64),
      kill: z.enum(['taken', 'booked', 'called', 'paid', 'hang', 'nobody']),
      breaker: z.boolean(),
    }),
  })
  .refine(({ desk: { workers, kill } }) => workers !== 1 || kill === 'nobody', {
    path: ['desk', 'workers'],
    message: '1: nobody is left to take the claims of a killed worker; add desk.kill=nobody',
  })

export type Configuration = DeepReadonly<z.output<typeof schema>>

/** How the bank fares, and what it promises. */
export type BankNature = Configuration['bank']

function onceEach(list: readonly { readonly name: string }[]): boolean {
  return new Set(list.map((each) => each.name)).size === list.length
}

/** `${dataset:flights-20k.json}`: a file of vega-datasets. The package exports no data files, but its entry, which lies beside them. */
export function dataset(file: string): string {
  return join(fileURLToPath(import.meta.resolve('vega-datasets')), '../../data', file)
}
