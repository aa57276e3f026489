import { isMaglevError, Maglev, type MaglevOptions } from '@loadbearing/maglev'
import { restore, toBytes, toJson } from '@loadbearing/maglev/snapshot'
import { describe, expect, test } from 'vitest'

const small = new Maglev([{ id: 'a', weight: 2 }, { id: 'b', health: 'unhealthy' }, 'ç'], { tableSize: 31 })

function corrupt(run: () => unknown): boolean {
  try {
    run()
    return false
  } catch (error) {
    if (isMaglevError(error) && error.code === 'SNAPSHOT_CORRUPT') return true
    throw error
  }
}

function fingerprintOrCode(snapshot: string): string {
  try {
    return restore(snapshot).fingerprint
  } catch (error) {
    return isMaglevError(error) ? error.code : String(error)
  }
}

describe('23. snapshots', () => {
  test.each<[string, Maglev]>([
    ['stable', small],
    ['no backend', new Maglev([], { tableSize: 7 })],
    [
      'envoy with zones',
      new Maglev(
        [
          { id: 'a', zone: '__proto__', weight: 3 },
          { id: 'b', zone: 'z' },
        ],
        {
          mode: 'envoy',
          tableSize: 251,
          zones: Object.fromEntries([
            ['__proto__', 1],
            ['z', 2],
          ]),
        },
      ),
    ],
    [
      'katran',
      new Maglev(
        [
          { id: 'a', hash: 2n ** 64n - 1n, weight: 3 },
          { id: 'b', hash: 0n },
        ],
        { mode: 'katran-v2', tableSize: 251 },
      ),
    ],
    [
      'cilium',
      new Maglev(['[10.0.0.1:80/TCP,State:active]'], {
        mode: 'cilium',
        tableSize: 251,
        seed: 'AAECAwQFBgcICQoL',
      }),
    ],
    ['go-maglev', new Maglev(['x', 'y', 'z'], { mode: 'go-maglev', tableSize: 1000 })],
    ['seeded', new Maglev(['x', 'y', 'z'], { mode: 'classic', seed: 2n ** 64n - 1n, hash: 'xxh64' })],
  ])('come back as they were: %s', (_, maglev) => {
    for (const snapshot of [toBytes(maglev), toJson(maglev)]) {
      const restored = restore(snapshot)
      expect([...restored.owners()]).toEqual([...maglev.owners()])
      for (let i = 0; i < 200; i++) expect(restored.lookup(`key-${i}`)).toBe(maglev.lookup(`key-${i}`))
      expect(toBytes(restored)).toEqual(toBytes(maglev))
    }
  })

  test('cut at any byte', () => {
    const bytes = toBytes(small)
    for (let length = 0; length < bytes.length; length++)
      expect(
        corrupt(() => restore(bytes.subarray(0, length))),
        `${length}`,
      ).toBe(true)
    const text = toJson(small)
    for (let length = 0; length < text.trimEnd().length; length++)
      expect(
        corrupt(() => restore(text.slice(0, length))),
        `${length}`,
      ).toBe(true)
  })

  test('any flipped bit', () => {
    const bytes = toBytes(small)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(
        corrupt(() => restore(flipped)),
        `bit ${bit}`,
      ).toBe(true)
    }
  })

  test('any other character in the JSON form is refused, or says the same', () => {
    const text = toJson(small)
    for (let at = 0; at < text.length; at++) {
      for (const other of ['0', '"', ' ', 'x']) {
        const changed = text.slice(0, at) + other + text.slice(at + 1)
        expect(['SNAPSHOT_CORRUPT', small.fingerprint], `character ${at}`).toContain(
          fingerprintOrCode(changed),
        )
      }
    }
  })

  test.each(['', 'null', '[]', '{}', '{"__proto__":null}', '['.repeat(100_000), 'MGLV', '9'.repeat(1000)])(
    'garbage %#',
    (text) => {
      expect(corrupt(() => restore(text))).toBe(true)
      expect(corrupt(() => restore(new TextEncoder().encode(text)))).toBe(true)
    },
  )

  test('a secret is not in it, and is asked for', () => {
    const options: MaglevOptions = { tableSize: 31, secret: '00112233445566778899aabbccddeeff' }
    const keyed = new Maglev(['a', 'b', 'c'], options)
    expect(toJson(keyed)).not.toMatch(/00112233445566778899aabbccddeeff/i)
    expect(Buffer.from(toBytes(keyed)).includes(Buffer.from('00112233445566778899aabbccddeeff', 'hex'))).toBe(
      false,
    )
    const code = (run: () => unknown): unknown => {
      try {
        return run()
      } catch (error) {
        return isMaglevError(error) ? error.code : error
      }
    }
    expect(code(() => restore(toBytes(keyed)))).toBe('SECRET_MISMATCH')
    expect(code(() => restore(toBytes(keyed), { secret: 'ff'.repeat(16) }))).toBe('SECRET_MISMATCH')
    expect(restore(toBytes(keyed), { secret: '00112233445566778899aabbccddeeff' }).lookup('k')).toBe(
      keyed.lookup('k'),
    )
  })
})
