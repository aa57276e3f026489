import { Maglev } from '@loadbearing/maglev'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fill } from '../../src/table/fill.ts'
import { freeOwners } from '../../src/table/owners.ts'
import { roundRobin } from '../../src/table/turns.ts'
import { envoyCase, goMaglevCase, katranCase, type TableCase } from '../differential/arbitraries.ts'
import { hashesOf } from '../differential/ours.ts'
import { murmur3, siphash, xxh64 } from './hash.ts'
import { ciliumTable, envoyTable, goMaglevTable, katranTable, paperTable } from './tables.ts'

describe('the models tell what was published', () => {
  test('table 1 of the paper, before and after its second backend is gone', () => {
    expect(
      paperTable(7, [
        [3n, 4n],
        [0n, 2n],
        [3n, 1n],
      ]),
    ).toEqual([1, 0, 1, 0, 2, 2, 0])
    expect(
      paperTable(7, [
        [3n, 4n],
        [3n, 1n],
      ]),
    ).toEqual([0, 0, 0, 0, 1, 1, 1])
  })

  test('the first table of Envoy, Cilium and Katran', () => {
    const hosts = [90, 91, 92, 93, 94, 95].map((port) => ({ id: `127.0.0.1:${port}` }))
    expect(envoyTable(7, hosts)).toEqual([2, 4, 0, 1, 5, 0, 3])
    const reals = [
      { id: 'a', hash: 1000n, weight: 2 },
      { id: 'b', hash: 2000n, weight: 1 },
    ]
    expect(katranTable(1, 7, reals)).toEqual([1, 1, 0, 1, 0, 0, 0])
    expect(katranTable(2, 7, reals)).toEqual([1, 0, 0, 1, 0, 0, 0])
    const weights = [2, 13, 111, 10]
    const pods = weights.map((weight, i) => ({ id: `[0.0.0.${i + 1}:${i + 1}/TCP,State:active]`, weight }))
    const counts = [0, 0, 0, 0]
    for (const owner of ciliumTable(1021, pods, 'JLfvgnHc2kaSUFaI')) counts[owner]! += 1
    expect(counts).toEqual([16, 98, 832, 75])
  })

  test('hashes: the vector of the SipHash paper, and the empty ones', () => {
    const bytes = Uint8Array.from({ length: 15 }, (_, i) => i)
    expect(siphash(0x0706050403020100n, 0x0f0e0d0c0b0a0908n, bytes)).toBe(0xa129ca6149be45e5n)
    expect(xxh64(new Uint8Array(), 0n)).toBe(0xef46db3751d8e999n)
    expect(murmur3(new Uint8Array(), 0n)).toEqual([0n, 0n])
  })
})

test("our fill makes the paper's table 1", () => {
  const table = (...walks: [number, number][]): number[] => {
    const members = walks.map((walk, i) => ({
      id: `B${i}`,
      weight: 1,
      zone: undefined,
      hash: undefined,
      rank: 0n,
      walk: Uint32Array.from(walk),
    }))
    const owners = freeOwners(7, members.length)
    const build = fill(owners, 7, members, roundRobin(Uint32Array.from(members.keys())))
    while (build.next().done !== true);
    return [...owners]
  }
  expect(table([3, 4], [0, 2], [3, 1])).toEqual([1, 0, 1, 0, 2, 2, 0])
  expect(table([3, 4], [3, 1])).toEqual([0, 0, 0, 0, 1, 1, 1])
})

describe('the package agrees with the models; `pnpm differential maglev` does it at length', () => {
  const owners = (mode: 'envoy' | 'katran-v1' | 'katran-v2' | 'go-maglev', each: TableCase): number[] => {
    const { size, backends, zones, unavailable = [] } = each
    const down = new Set(unavailable)
    const maglev = new Maglev(
      backends.map((backend) => ({ ...backend, health: down.has(backend.id) ? 'unhealthy' : 'healthy' })),
      { mode, tableSize: size, allowStarved: true, ...(zones && { zones }) },
    )
    return [...maglev.owners()]
  }

  test('envoy', () => {
    fc.assert(
      fc.property(envoyCase([7, 17, 61, 1021], 20), (each) => {
        expect(owners('envoy', each)).toEqual(envoyTable(each.size, each.backends, each.zones))
      }),
      { numRuns: 50 },
    )
  })

  test('katran, on the largest ring too, where its cursor wraps', () => {
    const large = fc.sample(katranCase, { seed: 1, numRuns: 1 }).map((each) => ({ ...each, size: 131_071 }))
    for (const version of [1, 2] as const) {
      fc.assert(
        fc.property(katranCase, (each) => {
          fc.pre(each.size < 10_000)
          expect(owners(`katran-v${version}`, each)).toEqual(katranTable(version, each.size, each.backends))
        }),
        { numRuns: 30 },
      )
      for (const each of large) {
        expect(owners(`katran-v${version}`, each)).toEqual(katranTable(version, each.size, each.backends))
      }
    }
  })

  test('go-maglev', () => {
    fc.assert(
      fc.property(goMaglevCase, (each) => {
        fc.pre(each.size < 10_000)
        expect(owners('go-maglev', each)).toEqual(
          goMaglevTable(each.size, each.backends, new Set(each.unavailable)),
        )
      }),
      { numRuns: 30 },
    )
  })

  test('hashes of every length to 300', () => {
    const [k0, k1] = [0x0123456789abcdefn, 0xfedcba9876543210n]
    for (let length = 0; length <= 300; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + length) & 255)
      const [h1, h2] = murmur3(bytes, BigInt.asUintN(32, k0))
      expect(hashesOf({ bytes, k0, k1 })).toEqual({
        xxh64: String(xxh64(bytes, k0)),
        murmurH1: String(h1),
        murmurH2: String(h2),
        siphash: String(siphash(k0, k1, bytes)),
      })
    }
  })
})
