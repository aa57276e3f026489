import type { StandardSchema } from '@loadbearing/hydra-config'
import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'

/** What the schemas below make of a configuration. */
export interface App {
  readonly db: { readonly driver: 'pg' | 'mysql'; readonly port: number; readonly password: string }
  readonly tags: readonly string[]
}

/** One schema in each of the libraries, synchronous and asynchronous where the library has both. */
export const schemas: Readonly<Record<string, StandardSchema<unknown, App>>> = {
  zod: z.object({
    db: z.object({
      driver: z.enum(['pg', 'mysql']),
      port: z.number().int().max(65_535),
      password: z.string().min(4),
    }),
    tags: z.array(z.string()).default(['none']),
  }),
  'zod, asynchronous': z
    .object({
      db: z.object({
        driver: z.enum(['pg', 'mysql']),
        port: z.number().int().max(65_535),
        password: z.string().min(4),
      }),
      tags: z.array(z.string()).default(['none']),
    })
    .refine(() => Promise.resolve(true)),
  valibot: v.object({
    db: v.object({
      driver: v.picklist(['pg', 'mysql']),
      port: v.pipe(v.number(), v.integer(), v.maxValue(65_535)),
      password: v.pipe(v.string(), v.minLength(4)),
    }),
    tags: v.optional(v.array(v.string()), ['none']),
  }),
  'valibot, asynchronous': v.pipeAsync(
    v.object({
      db: v.object({
        driver: v.picklist(['pg', 'mysql']),
        port: v.pipe(v.number(), v.integer(), v.maxValue(65_535)),
        password: v.pipe(v.string(), v.minLength(4)),
      }),
      tags: v.optional(v.array(v.string()), ['none']),
    }),
    v.checkAsync(() => Promise.resolve(true)),
  ),
  arktype: type({
    db: { driver: "'pg' | 'mysql'", port: 'number.integer <= 65535', password: 'string >= 4' },
    tags: type('string[]').default(() => ['none']),
  }),
  'arktype, without other keys': type({
    '+': 'reject',
    db: { '+': 'reject', driver: "'pg' | 'mysql'", port: 'number.integer <= 65535', password: 'string >= 4' },
    tags: type('string[]').default(() => ['none']),
  }),
}
