import { HarnessError } from '../errors.ts'
import { kafkaRecipe } from './kafka.ts'
import { natsRecipe } from './nats.ts'
import { postgresRecipe } from './postgres.ts'
import type { Recipe } from './recipe.ts'
import { redisRecipe, valkeyRecipe } from './redis.ts'
import type { ServiceKind } from './service.ts'

const recipes: Record<ServiceKind, Recipe> = {
  postgres: postgresRecipe,
  redis: redisRecipe,
  valkey: valkeyRecipe,
  nats: natsRecipe,
  kafka: kafkaRecipe,
}

/**
 * Why tests that need this service cannot run here, or false where they can: neither an address is given nor a
 * program found. Says so in one line on standard error, for every suite that asks; starts nothing. A server that is
 * there and does not start is a failure of the test, not a reason to skip it.
 *
 *     describe.skipIf(skipWithout('redis'))('…', () => { … })     // vitest
 *     describe('…', { skip: skipWithout('redis') }, () => { … })  // node:test
 *
 * @throws HarnessError `SERVICE_NOT_FOUND` instead where the environment variable `CI` is set; not for `valkey`.
 */
export function skipWithout(kind: ServiceKind): string | false {
  if (!Object.hasOwn(recipes, kind)) {
    const kinds = Object.keys(recipes).join(', ')
    throw new HarnessError('BAD_OPTION', `kind must be one of ${kinds}, got ${JSON.stringify(kind)}`)
  }
  const { variable, find, mayBeMissing = false } = recipes[kind]
  const search = process.env[variable] ? { found: true as const } : find()
  if (search.found) return false
  const reason = `${search.reason}, and ${variable} is not set`
  if (!mayBeMissing && !['', '0', 'false', undefined].includes(process.env['CI'])) {
    throw new HarnessError('SERVICE_NOT_FOUND', `CI is set, so tests with ${kind} must run: ${reason}`)
  }
  process.stderr.write(`loadbearing: skipping tests with ${kind}: ${reason}\n`)
  return reason
}
