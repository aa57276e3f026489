import { viewOf } from '../hash/utf8.ts'
import { tableSizeMax } from '../settings.ts'
import { encodeBytes } from './bytes.ts'
import {
  corrupt,
  formatVersion,
  type RecordedBackend,
  recordedHashes,
  recordedHealths,
  recordedModes,
  type SnapshotRecord,
} from './record.ts'

const format = 'maglev'

export function encodeText(record: SnapshotRecord): string {
  const { mode, tableSize, hash, seed, secretFingerprint, zones, allowStarved, backends, owners } = record
  return JSON.stringify({
    format,
    version: formatVersion,
    mode,
    tableSize,
    hash,
    seed,
    secretFingerprint,
    // Pairs, not an object: a zone may be called anything, and their order is kept.
    zones: zones && [...zones],
    allowStarved,
    backends: backends.map((backend) => ({ ...backend, hash: backend.hash?.toString() })),
    owners: encodeRuns(owners),
    checksum: checksumOf(record),
  })
}

export function decodeText(text: string): SnapshotRecord {
  const json = parse(text)
  if (json['format'] !== format || json['version'] !== formatVersion) {
    throw corrupt(`it is not format ${format}, version ${formatVersion}`)
  }
  const record: SnapshotRecord = {
    mode: oneOf(recordedModes, json['mode'], 'mode'),
    tableSize: size(json['tableSize']),
    hash: oneOf(recordedHashes, json['hash'], 'hash'),
    seed: optional(json['seed'], (seed) => string(seed, 'seed')),
    secretFingerprint: optional(json['secretFingerprint'], (value) => string(value, 'secretFingerprint')),
    zones: optional(json['zones'], (zones) => new Map(array(zones, 'zones').map(decodeZone))),
    allowStarved: json['allowStarved'] === true,
    backends: array(json['backends'], 'backends').map(decodeBackend),
    owners: decodeRuns(string(json['owners'], 'owners'), size(json['tableSize'])),
  }
  if (json['checksum'] !== checksumOf(record)) throw corrupt('its checksum does not match; it was altered')
  return record
}

/** The last 8 of its bytes, as hex digits. */
function checksumOf(record: SnapshotRecord): string {
  const bytes = encodeBytes(record)
  return viewOf(bytes)
    .getBigUint64(bytes.length - 8, true)
    .toString(16)
    .padStart(16, '0')
}

function encodeRuns(owners: Int32Array): string {
  const runs: string[] = []
  for (let slot = 0; slot < owners.length; ) {
    const owner = owners[slot]
    let end = slot + 1
    while (end < owners.length && owners[end] === owner) end++
    runs.push(`${owner}(${end - slot})`)
    slot = end
  }
  return runs.join()
}

function decodeRuns(text: string, slots: number): Int32Array {
  const owners = new Int32Array(slots)
  let at = 0
  for (const run of text.split(',')) {
    const parts = /^(-1|\d{1,7})\((\d{1,7})\)$/.exec(run)
    const length = Number(parts?.[2] ?? 0)
    if (parts === null || length === 0 || at + length > slots)
      throw corrupt('its owners are not runs that fill its slots')
    owners.fill(Number(parts[1]), at, at + length)
    at += length
  }
  if (at !== slots) throw corrupt(`its owners end after ${at} of ${slots} slots`)
  return owners
}

function decodeBackend(value: unknown): RecordedBackend {
  if (!isObject(value)) throw corrupt('a backend is not an object')
  return {
    id: string(value['id'], 'id'),
    weight: number(value['weight'], 'weight'),
    zone: optional(value['zone'], (zone) => string(zone, 'zone')),
    hash: optional(value['hash'], uint64),
    health: oneOf(recordedHealths, value['health'], 'health'),
    ramp: number(value['ramp'], 'ramp'),
  }
}

function decodeZone(value: unknown): [string, number] {
  const [zone, weight] = array(value, 'zones')
  return [string(zone, 'zone'), number(weight, 'weight')]
}

function parse(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw corrupt('it is not JSON', error)
  }
  if (!isObject(value)) throw corrupt('it is not an object')
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function array(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw corrupt(`${field} is not an array`)
  return value
}

function string(value: unknown, field: string): string {
  if (typeof value !== 'string') throw corrupt(`${field} is not a string`)
  return value
}

function number(value: unknown, field: string): number {
  if (typeof value !== 'number') throw corrupt(`${field} is not a number`)
  return value
}

function size(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 2 || value > tableSizeMax) {
    throw corrupt('its tableSize is out of range')
  }
  return value
}

function uint64(value: unknown): bigint {
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value) || BigInt(value) >= 2n ** 64n) {
    throw corrupt('a hash is not a decimal uint64')
  }
  return BigInt(value)
}

function oneOf<Item extends string>(items: readonly Item[], value: unknown, field: string): Item {
  const item = items.find((candidate) => candidate === value)
  if (item === undefined) throw corrupt(`it has an unknown ${field}`)
  return item
}

function optional<Value>(value: unknown, read: (value: unknown) => Value): Value | undefined {
  return value === undefined ? undefined : read(value)
}
