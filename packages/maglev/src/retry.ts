import { modulo, type Word64, word64 } from './hash/word64.ts'

const changed: Word64 = word64()

/**
 * Slot of the n-th retry (n above 0) in Envoy: of `hash ^ (2^64 - n)`. Source: envoyproxy/envoy, maglev_lb.cc, `chooseHost`.
 */
export function retrySlot(hash: Word64, attempt: number, size: number): number {
  changed[0] = (hash[0] ?? 0) ^ -attempt
  changed[1] = (hash[1] ?? 0) ^ 0xffffffff
  return modulo(changed, size)
}
