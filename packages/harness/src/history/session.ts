import { HarnessError } from '../errors.ts'

/** The four guarantees of Terry et al., "Session Guarantees for Weakly Consistent Replicated Data" (1994). */
export type SessionGuarantee =
  | 'read-your-writes'
  | 'monotonic-reads'
  | 'monotonic-writes'
  | 'writes-follow-reads'

export interface SessionViolation {
  readonly guarantee: SessionGuarantee
  /** The session whose order was not kept. */
  readonly session: string
  readonly key: string
  /** The version of `key` that should have been there at least, and the one that was. */
  readonly expected: number
  readonly found: number
  readonly explanation: string
}

interface Write {
  readonly session: string
  readonly key: string
  readonly version: number
  /** The versions that the session had read and written before, by key. */
  readonly readBefore: ReadonlyMap<string, number>
  readonly writtenBefore: ReadonlyMap<string, number>
}

interface Read {
  readonly session: string
  readonly observed: ReadonlyMap<string, number>
}

/**
 * The operations of each session in the order in which it made them. Versions are numbers that the store gives the
 * values of a key, growing in the order of its writes; 0 is the value that was there before any of them.
 */
export class SessionHistory {
  readonly #read = new Map<string, Map<string, number>>()
  readonly #written = new Map<string, Map<string, number>>()
  readonly #writes: Write[] = []
  readonly #reads: Read[] = []
  readonly #violations: SessionViolation[] = []

  /** `session` wrote `key`, and the store called the result `version`. */
  write(session: string, key: string, version: number): void {
    checkVersion(key, version)
    const read = entryOf(this.#read, session)
    const written = entryOf(this.#written, session)
    this.#expect('monotonic-writes', session, key, (written.get(key) ?? 0) + 1, version)
    this.#expect('writes-follow-reads', session, key, (read.get(key) ?? 0) + 1, version)
    this.#writes.push({ session, key, version, readBefore: new Map(read), writtenBefore: new Map(written) })
    raise(written, key, version)
  }

  /**
   * `session` read these keys from one state of one replica and found these versions. Reading several keys at once is
   * what shows the order of writes to different keys.
   */
  read(session: string, observed: Iterable<readonly [key: string, version: number]>): void {
    const found = new Map(observed)
    const read = entryOf(this.#read, session)
    const written = entryOf(this.#written, session)
    for (const [key, version] of found) {
      checkVersion(key, version)
      this.#expect('read-your-writes', session, key, written.get(key) ?? 0, version)
      this.#expect('monotonic-reads', session, key, read.get(key) ?? 0, version)
    }
    for (const [key, version] of found) raise(read, key, version)
    this.#reads.push({ session, observed: found })
  }

  /** All violations, or those of some guarantees; empty when they hold. */
  violations(
    guarantees: readonly SessionGuarantee[] = [
      'read-your-writes',
      'monotonic-reads',
      'monotonic-writes',
      'writes-follow-reads',
    ],
  ): SessionViolation[] {
    return [...this.#violations, ...this.#seenOutOfOrder()].filter(({ guarantee }) =>
      guarantees.includes(guarantee),
    )
  }

  /** A replica that shows a write has to show what its session wrote and read before it, whoever looks. */
  #seenOutOfOrder(): SessionViolation[] {
    const violations: SessionViolation[] = []
    for (const { session: reader, observed } of this.#reads) {
      for (const write of this.#writes) {
        if ((observed.get(write.key) ?? 0) < write.version) continue
        const earlier = [
          ['monotonic-writes', write.writtenBefore],
          ['writes-follow-reads', write.readBefore],
        ] as const
        for (const [guarantee, versions] of earlier) {
          for (const [key, expected] of versions) {
            const found = observed.get(key)
            if (found === undefined || found >= expected) continue
            violations.push({
              guarantee,
              session: write.session,
              key,
              expected,
              found,
              explanation:
                `${guarantee}: ${reader} sees version ${write.version} of ${write.key}, which ${write.session} wrote ` +
                `after version ${expected} of ${key}, but sees version ${found} of that`,
            })
          }
        }
      }
    }
    return violations
  }

  #expect(guarantee: SessionGuarantee, session: string, key: string, expected: number, found: number): void {
    if (found >= expected) return
    const explanation = `${guarantee}: ${session} should find or make version ${expected} of ${key} or a later one, but got ${found}`
    this.#violations.push({ guarantee, session, key, expected, found, explanation })
  }
}

function entryOf(all: Map<string, Map<string, number>>, session: string): Map<string, number> {
  const known = all.get(session)
  if (known !== undefined) return known
  const fresh = new Map<string, number>()
  all.set(session, fresh)
  return fresh
}

function raise(versions: Map<string, number>, key: string, version: number): void {
  versions.set(key, Math.max(versions.get(key) ?? 0, version))
}

function checkVersion(key: string, version: number): void {
  if (Number.isSafeInteger(version) && version >= 0) return
  throw new HarnessError(
    'BAD_OPTION',
    `session history: the version of ${JSON.stringify(key)} needs a whole number from 0, but got ${String(version)}`,
  )
}
