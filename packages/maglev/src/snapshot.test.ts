import { expect, test } from 'vitest'
import { isMaglevError } from './errors.ts'
import { Maglev } from './maglev.ts'
import { restore, toBytes, toJson } from './snapshot.ts'

const secret = '00112233445566778899aabbccddeeff'

const tables: [string, Maglev, { secret?: string }][] = [
  [
    'stable',
    new Maglev(['a', { id: 'b', weight: 2.5, health: 'draining' }, '\0', '__proto__', ''], {
      tableSize: 101,
    }),
    {},
  ],
  ['empty', new Maglev([], { tableSize: 7 }), {}],
  ['classic with a seed', new Maglev(['a', 'b'], { mode: 'classic', tableSize: 101, seed: 2n ** 63n }), {}],
  [
    'envoy with zones',
    new Maglev(
      [
        { id: 'a', zone: '__proto__' },
        { id: 'b', zone: 'y' },
      ],
      {
        mode: 'envoy',
        tableSize: 101,
        zones: { ['__proto__']: 1, y: 2 },
      },
    ),
    {},
  ],
  [
    'cilium',
    new Maglev(['a', { id: 'b', weight: 9 }], { mode: 'cilium', tableSize: 251, seed: 'AAAAAAAAAAAAAAAA' }),
    {},
  ],
  [
    'katran',
    new Maglev(
      [
        { id: 'a', hash: 2n ** 64n - 1n },
        { id: 'b', hash: 0n },
      ],
      { mode: 'katran-v2', tableSize: 101 },
    ),
    {},
  ],
  ['go-maglev', new Maglev(['a', 'b', 'c'], { mode: 'go-maglev', tableSize: 100 }), {}],
  ['keyed', new Maglev(['a', 'b', 'c'], { tableSize: 101, secret }), { secret }],
  ['starved', new Maglev(['a', 'b', 'c'], { tableSize: 2, allowStarved: true }), {}],
]

test.each(tables)('%s comes back from both forms as it was', (_, lb, options) => {
  for (const form of [toBytes(lb), toJson(lb)]) {
    const back = restore(form, options)
    expect(back.identity).toEqual(lb.identity)
    expect(back.backends).toEqual(lb.backends)
    expect(back.owners()).toEqual(lb.owners())
    expect(back.lookup('key')).toBe(lb.lookup('key'))
    expect(toBytes(back)).toEqual(toBytes(lb))
  }
})

test.each(tables)('%s: cut at any byte or with any bit flipped it is corrupt', (_, lb, options) => {
  const bytes = toBytes(lb)
  for (let at = 0; at < bytes.length; at++) {
    expect(() => restore(bytes.subarray(0, at), options)).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }),
    )
    for (let bit = 0; bit < 8; bit++) {
      const flipped = Uint8Array.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
      expect(() => restore(flipped, options)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
    }
  }
})

test.each(tables)('%s: JSON that is cut or altered is corrupt or means the same', (_, lb, options) => {
  const json = toJson(lb)
  for (let at = 0; at < json.length; at++) {
    expect(() => restore(json.slice(0, at), options)).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }),
    )
    const altered = json.slice(0, at) + String.fromCharCode(json.charCodeAt(at) ^ 1) + json.slice(at + 1)
    // The same only where nothing that counts was altered, as the name of a field that is false anyway.
    expect(['SNAPSHOT_CORRUPT', Buffer.from(toBytes(lb)).toString('hex')]).toContain(
      outcome(altered, options),
    )
  }
})

test('the owners of the JSON are runs', () => {
  const lb = new Maglev([{ id: 'a', health: 'unhealthy' }, 'b'], { tableSize: 5 })
  expect(JSON.parse(toJson(lb))).toMatchObject({ format: 'maglev', mode: 'stable', owners: '1(5)' })
})

test('the secret is in neither form, and is needed to come back', () => {
  const lb = new Maglev(['a', 'b'], { tableSize: 101, secret })
  expect(Buffer.from(toBytes(lb)).includes(Buffer.from(secret, 'hex'))).toBe(false)
  expect(Buffer.from(toBytes(lb)).includes(secret)).toBe(false)
  expect(toJson(lb)).not.toContain(secret)
  const other = secret.replace('00', '01')
  expect(() => restore(toBytes(lb))).toThrow(expect.objectContaining({ code: 'SECRET_MISMATCH' }))
  expect(() => restore(toBytes(lb), { secret: other })).toThrow(
    expect.objectContaining({ code: 'SECRET_MISMATCH' }),
  )
  expect(() => restore(toBytes(new Maglev(['a'])), { secret })).toThrow(
    expect.objectContaining({ code: 'SECRET_MISMATCH' }),
  )
})

test('what is no snapshot is corrupt', () => {
  for (const wrong of [
    '',
    '{}',
    '[]',
    'null',
    '{"format":"maglev","version":2}',
    new Uint8Array(),
    Buffer.alloc(100),
    7,
    null,
  ]) {
    expect(() => restore(wrong as string)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
  }
})

/** The table that comes of it, or the code of the error. */
function outcome(json: string, options: { secret?: string }): string {
  try {
    return Buffer.from(toBytes(restore(json, options))).toString('hex')
  } catch (error) {
    return isMaglevError(error) ? error.code : String(error)
  }
}
