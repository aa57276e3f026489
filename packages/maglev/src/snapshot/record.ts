import type { Health } from '../backend.ts'
import { MaglevError } from '../errors.ts'
import type { TableIdentity } from '../maglev.ts'
import type { ModeName } from '../mode/mode.ts'
import type { KeyHashName } from '../options.ts'

export interface RecordedBackend {
  readonly id: string
  readonly weight: number
  readonly zone: string | undefined
  readonly hash: bigint | undefined
  readonly health: Health
  readonly ramp: number
}

/** What both forms of a snapshot hold. */
export interface SnapshotRecord extends TableIdentity {
  /** As listed. */
  readonly backends: readonly RecordedBackend[]
  /** Indexes into `backends`, -1 for none. */
  readonly owners: Int32Array
}

export const formatVersion = 1

// Their places in these lists are part of the format: add at the end only.
export const recordedModes: readonly ModeName[] = [
  'stable',
  'classic',
  'envoy',
  'cilium',
  'katran-v1',
  'katran-v2',
  'go-maglev',
]
export const recordedHashes: readonly KeyHashName[] = ['xxh32', 'xxh64', 'siphash']
export const recordedHealths: readonly Health[] = [
  'healthy',
  'degraded',
  'unhealthy',
  'draining',
  'ejected',
  'disabled',
]

export function corrupt(reason: string, cause?: unknown): MaglevError {
  return new MaglevError(
    'SNAPSHOT_CORRUPT',
    `The snapshot cannot be used: ${reason}`,
    cause === undefined ? undefined : { cause },
  )
}
