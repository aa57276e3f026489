import { isHydraConfigError } from '../errors.ts'
import type { Place } from '../value/place.ts'
import type { Read } from './frame.ts'
import type { Resolution } from './resolve.ts'

/** What the interpolation at a place reads, in the order of reading; up to its failure where it fails. */
export function readsOf({ machine }: Resolution, place: Place): readonly Read[] {
  const reads: Read[] = []
  try {
    machine.dereference(place, reads)
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
  }
  return reads
}
