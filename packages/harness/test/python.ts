import { spawnSync } from 'node:child_process'

/** False where there is no Python: tests that need it are then skipped, and fail where `CI` is set. */
export const havePython: boolean =
  process.env['CI'] !== undefined || spawnSync('python3', ['--version']).status === 0
