import type { Clock, Random } from '../ports.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A ULID (github.com/ulid/spec): 48 bits of milliseconds, 80 bits of randomness; 26 characters that sort by time. */
export function ulid(clock: Pick<Clock, 'now'>, random: Random): string {
  let time = Math.max(0, Math.floor(clock.now()))
  let prefix = ''
  for (let place = 0; place < 10; place++) {
    prefix = alphabet.charAt(time % 32) + prefix
    time = Math.floor(time / 32)
  }
  let suffix = ''
  // Five bits of a byte are a character: 32 divides 256.
  for (const byte of random.bytes(16)) suffix += alphabet.charAt(byte % 32)
  return prefix + suffix
}
