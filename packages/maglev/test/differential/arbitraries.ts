import fc, { type Arbitrary } from 'fast-check'
import type { ModelBackend } from '../model/tables.ts'

/** What a table is made of; the arrays are short enough for the models and long enough for every branch. */
export interface TableCase {
  readonly size: number
  readonly backends: readonly ModelBackend[]
  readonly zones?: Readonly<Record<string, number>>
  readonly seed?: string
  readonly unavailable?: readonly string[]
}

const ip = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter((text) => !text.includes('.')),
)
const address = fc
  .tuple(ip, fc.nat(65_535))
  .map(([host, port]) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`))
/** Addresses mostly; sometimes any well-formed text, whose order in UTF-8 and in UTF-16 may differ. */
export const id: Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: address },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: 'binary', minLength: 1, maxLength: 40 })
      .filter((text) => text.isWellFormed()),
  },
)
export const weight: Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 65_535 }) },
)
const zoneNames = ['a', 'b', 'c', '__proto__'] as const

export function backends(
  maxLength: number,
  parts: Record<string, Arbitrary<unknown>> = { weight },
): Arbitrary<ModelBackend[]> {
  return fc.uniqueArray(fc.record({ id, ...parts }) as Arbitrary<ModelBackend>, {
    minLength: 1,
    maxLength,
    selector: ({ id: own }) => own,
  })
}

/** With zones in one case of two; then some zones have no backend, or a weight of 0. */
export function envoyCase(sizes: readonly number[], maxLength: number): Arbitrary<TableCase> {
  const size = fc.constantFrom(...sizes)
  return fc.oneof(
    fc.record({ size, backends: backends(maxLength) }),
    fc
      .tuple(
        size,
        backends(maxLength, { weight, zone: fc.constantFrom(...zoneNames) }),
        fc
          .array(fc.nat(20), { minLength: 4, maxLength: 4 })
          .filter((weights) => weights.some((each) => each > 0)),
      )
      .map(([m, list, weights]) => ({
        size: m,
        backends: list,
        zones: Object.fromEntries(zoneNames.map((zone, index) => [zone, weights[index] ?? 0])),
      })),
  )
}

/** In half of the cases some backends are down. */
export function withUnavailable(cases: Arbitrary<TableCase>): Arbitrary<TableCase> {
  const down = fc.oneof(fc.constant<number[]>([]), fc.array(fc.nat(23), { maxLength: 8 }))
  return fc.tuple(cases, down).map(([each, indexes]) => ({
    ...each,
    unavailable: [...new Set(indexes.flatMap((index) => each.backends[index]?.id ?? []))],
  }))
}

export interface CiliumBackend {
  readonly ip: string
  readonly port: number
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly internal: boolean
  readonly weight: number
}

export interface CiliumCase {
  readonly size: number
  readonly seed: string
  readonly backends: readonly CiliumBackend[]
}

export const ciliumCase: Arbitrary<CiliumCase> = fc.record({
  size: fc.constantFrom(251, 509, 1021, 2039, 4093, 8191, 16_381),
  seed: fc.oneof(
    fc.constant('JLfvgnHc2kaSUFaI'),
    fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  ),
  backends: fc.uniqueArray(
    fc.record({
      // Go writes an IPv6 address in its shortest form, and so must the id: both are made from these groups.
      ip: fc.oneof(
        fc.ipV4(),
        fc
          .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
          .map((groups) => groups.map((group) => group.toString(16)).join(':')),
      ),
      port: fc.integer({ min: 1, max: 65_535 }),
      protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
      internal: fc.boolean(),
      weight,
    }),
    { minLength: 1, maxLength: 60, selector: ciliumId },
  ),
})

/** Cilium's own string for a backend, which is what it hashes. */
export function ciliumId({ ip: host, port, protocol, internal }: CiliumBackend): string {
  const where = host.includes(':') ? `[${host}]` : host
  return `[${where}:${port}/${protocol}${internal ? '/i' : ''},State:active]`
}

export const katranCase: Arbitrary<TableCase> = fc.record({
  size: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(7, 127, 1021, 4093) },
    { weight: 1, arbitrary: fc.constantFrom(65_537, 131_071) },
  ),
  backends: fc
    .uniqueArray(
      fc.record({
        id,
        weight,
        hash: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 1000n })),
      }),
      { minLength: 1, maxLength: 7, selector: ({ hash }) => hash },
    )
    .map((list) => list.filter((each, index) => list.findIndex((other) => other.id === each.id) === index)),
})

/** Any size, prime or not, and in most cases some that are dead. */
export const goMaglevCase: Arbitrary<TableCase> = fc
  .tuple(
    fc.oneof(fc.integer({ min: 40, max: 3000 }), fc.constant(65_537)),
    backends(40, {}),
    fc.array(fc.nat(39)),
  )
  .map(([size, list, dead]) => ({
    size,
    backends: list,
    unavailable: [...new Set(dead.flatMap((index) => list[index]?.id ?? []))],
  }))

export interface HashCase {
  readonly bytes: Uint8Array
  readonly k0: bigint
  readonly k1: bigint
}

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
export const hashCase: Arbitrary<HashCase> = fc.record({
  bytes: fc.uint8Array({ maxLength: 300, size: 'max' }),
  k0: uint64,
  k1: uint64,
})

/** Names and keys without newline trouble: they go through Go's JSON. */
export const kkdaiCase: Arbitrary<{ size: number; ids: string[]; keys: string[] }> = fc.record({
  size: fc.constantFrom(61, 251, 1021, 65_537),
  ids: fc.uniqueArray(id, { minLength: 1, maxLength: 30 }),
  keys: fc.array(fc.string({ maxLength: 30 }), { minLength: 50, maxLength: 300, size: 'max' }),
})
