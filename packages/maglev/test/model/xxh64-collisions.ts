// The primes and the round of XXH64, as its specification has them.
const prime1 = 0x9e3779b185ebca87n
const prime2 = 0xc2b2ae3d27d4eb4fn
/** prime2 times this is 1, modulo 2^64. */
const inverse2 = inverse(prime2)

/**
 * Values of one XXH64, `perLane` to the fourth of them, as an attacker makes them: XXH64 reads 32 bytes as four lanes that do not meet until the
 * end, and what a lane makes of eight bytes can be undone by the next eight. So each lane of a value of 64 bytes can be any of
 * several pairs, all with the same hash. The bytes are those that may stand in a header, a cookie and a query alike.
 */
export function collidingValues(perLane: number): string[] {
  const seeds = [prime1 + prime2, prime2, 0n, -prime1].map((seed) => BigInt.asUintN(64, seed))
  const lanes = seeds.map((seed, lane) => collidingPairs(seed, perLane, lane))
  let values: { first: string; second: string }[] = [{ first: '', second: '' }]
  for (const pairs of lanes) {
    values = values.flatMap(({ first, second }) =>
      pairs.map((pair) => ({ first: first + pair.first, second: second + pair.second })),
    )
  }
  return values.map(({ first, second }) => first + second)
}

/** Pairs of eight bytes each that take a lane from `seed` to the same state. */
function collidingPairs(seed: bigint, count: number, salt: number): { first: string; second: string }[] {
  const goal = round(round(seed, word(text(0, salt))), word(text(1, salt)))
  const pairs: { first: string; second: string }[] = []
  for (let n = 0; pairs.length < count; n++) {
    const first = text(n, salt)
    const second = textOf(undo(goal, round(seed, word(first))))
    if (second !== undefined) pairs.push({ first, second })
  }
  return pairs
}

function round(accumulator: bigint, input: bigint): bigint {
  const sum = BigInt.asUintN(64, accumulator + input * prime2)
  return BigInt.asUintN(64, rotated(sum, 31n) * prime1)
}

/** The input that takes a lane from `accumulator` to `goal`. */
function undo(goal: bigint, accumulator: bigint): bigint {
  const sum = rotated(BigInt.asUintN(64, goal * inverse(prime1)), 33n)
  return BigInt.asUintN(64, (sum - accumulator) * inverse2)
}

function rotated(value: bigint, bits: bigint): bigint {
  return BigInt.asUintN(64, (value << bits) | (value >> (64n - bits)))
}

/** Modulo 2^64, of an odd number: each step doubles the bits that are right. */
function inverse(odd: bigint): bigint {
  let found = odd
  for (let step = 0; step < 6; step++) found = BigInt.asUintN(64, found * (2n - odd * found))
  return found
}

function text(n: number, salt: number): string {
  return `${salt}-${n.toString(36).padStart(6, '0')}`
}

function word(bytes: string): bigint {
  return Buffer.from(bytes, 'latin1').readBigUInt64LE()
}

function textOf(value: bigint): string | undefined {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  const found = bytes.toString('latin1')
  return /^[!$'-:<-~]+$/.test(found) ? found : undefined
}
