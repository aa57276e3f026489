import { MaglevError, shown } from './errors.ts'
import { wantMaglev, wantObject } from './given.ts'
import { Maglev } from './maglev.ts'
import { decodeBytes, encodeBytes } from './snapshot/bytes.ts'
import { corrupt, type SnapshotRecord } from './snapshot/record.ts'
import { decodeText, encodeText } from './snapshot/text.ts'

export interface RestoreOptions {
  /** The secret of the table, where it had one: a snapshot never holds it. */
  readonly secret?: Uint8Array | string
}

/**
 * The table as bytes: `MGLV`, format version, settings, backends (without `data`), owners as 16- or 32-bit little-endian
 * numbers, and XXH64 of all that.
 */
export function toBytes(maglev: Maglev): Uint8Array {
  return encodeBytes(recordOf(maglev))
}

/**
 * The table as JSON to read and compare: backends in plain fields, owners run-length encoded, as `2(5),3(1)` for owner 2 in five
 * slots and then owner 3 in one. Its checksum is that of the bytes.
 */
export function toJson(maglev: Maglev): string {
  return encodeText(recordOf(maglev))
}

/**
 * Makes the table that a snapshot (either form) was taken of. It is built anew and compared with the owners of the snapshot, so
 * that it can never be a wrong one.
 *
 * @throws MaglevError `SNAPSHOT_CORRUPT` for anything cut, altered or not a snapshot; `SECRET_MISMATCH` where the table had a
 * secret and `options.secret` is not it.
 */
export function restore(snapshot: Uint8Array | string, options: RestoreOptions = {}): Maglev {
  wantObject('options', options)
  if (typeof snapshot !== 'string' && !(snapshot instanceof Uint8Array)) {
    throw corrupt(`it must be bytes or text, not ${shown(snapshot)}`)
  }
  const record = typeof snapshot === 'string' ? decodeText(snapshot) : decodeBytes(snapshot)
  const maglev = rebuild(record, options)
  if (record.secretFingerprint !== maglev.identity.secretFingerprint) {
    throw new MaglevError(
      'SECRET_MISMATCH',
      'The secret is not the one of the table that the snapshot was taken of',
    )
  }
  const owners = maglev.owners()
  if (owners.some((owner, slot) => owner !== record.owners[slot])) {
    throw corrupt('its owners are not those that its backends give')
  }
  return maglev
}

function recordOf(maglev: Maglev): SnapshotRecord {
  wantMaglev('What a snapshot is taken of', maglev)
  const { identity, backends } = maglev
  return {
    ...identity,
    backends: backends.map(({ id, weight, zone, hash, health, ramp }) => ({
      id,
      weight,
      zone,
      hash,
      health,
      ramp,
    })),
    owners: maglev.owners(),
  }
}

function rebuild(record: SnapshotRecord, { secret }: RestoreOptions): Maglev {
  if (record.secretFingerprint !== undefined && secret === undefined) {
    throw new MaglevError(
      'SECRET_MISMATCH',
      'The table of this snapshot has a secret: give it as options.secret',
    )
  }
  const { mode, tableSize, hash, seed, zones, allowStarved } = record
  const keyed = secret === undefined ? { hash } : { secret }
  try {
    return new Maglev(
      record.backends.map(({ zone, hash: placed, ...backend }) => ({
        ...backend,
        ...(zone === undefined ? {} : { zone }),
        ...(placed === undefined ? {} : { hash: placed }),
      })),
      {
        mode,
        tableSize,
        allowStarved,
        ...keyed,
        ...(seed === undefined ? {} : { seed }),
        ...(zones === undefined ? {} : { zones: Object.fromEntries(zones) }),
      },
    )
  } catch (error) {
    if (secret !== undefined && error instanceof MaglevError && error.code === 'INVALID_OPTION') throw error
    throw corrupt('no table can be made from it', error)
  }
}
