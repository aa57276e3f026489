import { totalWeightMax } from './backend.ts'
import { MaglevError, shown } from './errors.ts'
import { ciliumSizes } from './mode/cilium.ts'
import type { Mode, ModeName } from './mode/mode.ts'
import { modes } from './mode/modes.ts'
import type { KeyHashName, MaglevOptions, Rebuild } from './options.ts'
import { realScheduler, type Scheduler } from './ports.ts'
import { isPrime, nextPrime } from './table/prime.ts'

export const tableSizeMax = 5_000_011

/** The options with their defaults, checked. */
export interface Settings {
  readonly modeName: ModeName
  readonly mode: Mode
  readonly size: number
  readonly seed: bigint | string | undefined
  readonly hash: KeyHashName
  readonly secret: Uint8Array | undefined
  readonly zones: ReadonlyMap<string, number> | undefined
  readonly allowStarved: boolean
  readonly rebuild: Rebuild
  readonly shared: boolean
  readonly scheduler: Scheduler
}

/** Every name of {@link MaglevOptions}: a misspelt one would otherwise be a default in silence. */
const optionNames: Readonly<Record<keyof MaglevOptions, true>> = {
  tableSize: true,
  mode: true,
  seed: true,
  hash: true,
  secret: true,
  zones: true,
  allowStarved: true,
  rebuild: true,
  shared: true,
  scheduler: true,
}

export function checkOptions(options: MaglevOptions): Settings {
  if (options === null || typeof options !== 'object') {
    throw new MaglevError('INVALID_OPTION', `options must be an object, not ${shown(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(optionNames, name)) continue
    throw new MaglevError(
      'INVALID_OPTION',
      `There is no option ${shown(name)}; there are ${Object.keys(optionNames).join(', ')}`,
    )
  }
  const modeName = checkMode(options.mode ?? 'stable')
  const size = checkSize(modeName, options.tableSize ?? (modeName === 'cilium' ? 16_381 : 65_537))
  const secret = options.secret === undefined ? undefined : readSecret(options.secret)
  const rebuild = checkRebuild(options.rebuild ?? 'sync')
  return {
    modeName,
    mode: modes[modeName]({ size, seed: options.seed }),
    size,
    seed: options.seed,
    hash: checkHash(options.hash ?? 'auto', modeName, secret !== undefined),
    secret,
    zones: options.zones === undefined ? undefined : checkZones(options.zones, modeName),
    allowStarved: checkFlag('allowStarved', options.allowStarved),
    rebuild,
    shared: checkFlag('shared', options.shared),
    scheduler: checkScheduler(options.scheduler ?? realScheduler),
  }
}

export function checkRebuild(rebuild: Rebuild): Rebuild {
  if (rebuild !== 'sync' && rebuild !== 'sliced') {
    throw new MaglevError('INVALID_OPTION', `rebuild must be sync or sliced, not ${shown(rebuild)}`)
  }
  return rebuild
}

function checkScheduler(scheduler: Scheduler): Scheduler {
  if (typeof scheduler?.now !== 'function' || typeof scheduler.defer !== 'function') {
    throw new MaglevError(
      'INVALID_OPTION',
      `scheduler must have the functions now and defer, not ${shown(scheduler)}`,
    )
  }
  return scheduler
}

function checkMode(mode: string): ModeName {
  if (!isModeName(mode)) {
    throw new MaglevError(
      'INVALID_OPTION',
      `mode must be one of ${Object.keys(modes).join(', ')}, not ${shown(mode)}`,
    )
  }
  return mode
}

function isModeName(mode: unknown): mode is ModeName {
  return typeof mode === 'string' && Object.hasOwn(modes, mode)
}

function checkSize(mode: ModeName, size: number): number {
  if (!Number.isInteger(size) || size < 2 || size > tableSizeMax) {
    throw new MaglevError(
      'TABLE_SIZE_OUT_OF_RANGE',
      `tableSize must be a whole number from 2 to ${tableSizeMax}, not ${shown(size)}`,
    )
  }
  if (mode === 'cilium' && isPrime(size) && !ciliumSizes.includes(size)) {
    throw new MaglevError(
      'TABLE_SIZE_OUT_OF_RANGE',
      `mode cilium: tableSize must be one of ${ciliumSizes.join(', ')}, not ${size}`,
    )
  }
  if (mode !== 'go-maglev' && !isPrime(size)) {
    throw new MaglevError(
      'TABLE_SIZE_NOT_PRIME',
      `tableSize must be a prime, which ${size} is not; the next one is ${nextPrime(size)}`,
    )
  }
  return size
}

function checkHash(hash: string, mode: ModeName, keyed: boolean): KeyHashName {
  if (hash !== 'auto' && hash !== 'xxh32' && hash !== 'xxh64' && hash !== 'siphash') {
    throw new MaglevError('INVALID_OPTION', `hash must be auto, xxh32, xxh64 or siphash, not ${shown(hash)}`)
  }
  if (hash === 'siphash' && !keyed) {
    throw new MaglevError('INVALID_OPTION', 'hash siphash needs a secret: 16 bytes or 32 hex digits')
  }
  if (hash !== 'siphash' && hash !== 'auto' && keyed) {
    throw new MaglevError('INVALID_OPTION', `secret is the key of siphash: leave it out with hash ${hash}`)
  }
  if (hash !== 'auto') return hash
  if (keyed) return 'siphash'
  return mode === 'stable' || mode === 'classic' ? 'xxh32' : 'xxh64'
}

/** 16 bytes from bytes or hex digits. The message never shows what was given. */
export function readSecret(secret: unknown): Uint8Array {
  if (secret instanceof Uint8Array && secret.length === 16) return Uint8Array.from(secret)
  if (typeof secret === 'string' && /^[0-9a-fA-F]{32}$/.test(secret))
    return new Uint8Array(Buffer.from(secret, 'hex'))
  throw new MaglevError('INVALID_OPTION', 'secret must be 16 bytes or 32 hex digits')
}

function checkZones(zones: Readonly<Record<string, number>>, mode: ModeName): ReadonlyMap<string, number> {
  if (mode !== 'stable' && mode !== 'classic' && mode !== 'envoy') {
    throw new MaglevError('INVALID_OPTION', `zones: mode ${mode} has none`)
  }
  if (zones === null || typeof zones !== 'object' || Symbol.iterator in zones) {
    throw new MaglevError('INVALID_OPTION', `zones must be an object of weights by zone, not ${shown(zones)}`)
  }
  const checked = new Map(Object.entries(zones))
  let total = 0
  for (const [zone, weight] of checked) {
    if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0) {
      throw new MaglevError(
        'INVALID_WEIGHT',
        `Zone ${shown(zone)}: weight must be a finite number, 0 or more, not ${shown(weight)}`,
      )
    }
    total += weight
  }
  if (total > totalWeightMax) {
    throw new MaglevError(
      'INVALID_WEIGHT',
      `The weights of the zones sum to ${total}, above ${totalWeightMax}`,
    )
  }
  return checked
}

function checkFlag(name: string, flag: boolean | undefined): boolean {
  if (flag !== undefined && typeof flag !== 'boolean') {
    throw new MaglevError('INVALID_OPTION', `${name} must be true or false, not ${shown(flag)}`)
  }
  return flag ?? false
}
