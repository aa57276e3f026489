import type { StoreKind } from '../programs/settings.ts'
import { postgresStage } from './postgres.ts'
import { redisStage } from './redis.ts'
import { sqliteStage } from './sqlite.ts'
import type { Stage } from './stage.ts'

export function openStage(kind: StoreKind): Promise<Stage> {
  switch (kind) {
    case 'postgres':
      return postgresStage()
    case 'redis':
      return redisStage()
    case 'sqlite':
      return sqliteStage()
    default:
      return kind satisfies never
  }
}
