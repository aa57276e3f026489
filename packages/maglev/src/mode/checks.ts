import type { ConfiguredBackend } from '../backend.ts'
import { MaglevError, shown } from '../errors.ts'

/** A uint64 seed from a bigint or its decimal digits. */
export function uint64Seed(seed: bigint | string | undefined): bigint {
  const value = typeof seed === 'string' && /^\d{1,20}$/.test(seed) ? BigInt(seed) : (seed ?? 0n)
  if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) {
    throw new MaglevError(
      'INVALID_OPTION',
      `seed must be a bigint from 0 to 2^64 - 1 or its decimal digits, not ${shown(seed)}`,
    )
  }
  return value
}

/** For systems whose seeds are constants of their source. */
export function refuseSeed(mode: string, seed: bigint | string | undefined): void {
  if (seed !== undefined)
    throw new MaglevError('INVALID_OPTION', `mode ${mode} has fixed seeds: leave seed out`)
}

export function refuseHash({ id, hash }: ConfiguredBackend): void {
  if (hash !== undefined) {
    throw new MaglevError('INVALID_BACKEND', `Backend ${shown(id)}: hash is for the Katran modes only`)
  }
}

export function wantInteger(mode: string, { id, weight }: ConfiguredBackend, max: number): void {
  if (!Number.isInteger(weight) || weight > max) {
    throw new MaglevError(
      'INVALID_WEIGHT',
      `Backend ${shown(id)}: mode ${mode} takes whole weights from 0 to ${max}, not ${weight}`,
    )
  }
}
