import type { RunConfig } from './run-config.ts'

/** What came of a job. */
export interface JobReturn {
  readonly status: 'COMPLETED' | 'FAILED'
  /** What the task answered, or what it threw. */
  readonly returnValue: unknown
  readonly overrides: readonly string[]
  readonly config: RunConfig
  readonly outputDir: string
  readonly workingDir: string
  readonly name: string
}
