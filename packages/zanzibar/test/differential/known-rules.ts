import type { KnownDifference } from '@loadbearing/harness/oracle'

/** Why one answer of a case may differ, and stays as it is. */
export interface Rule<Case, Mine, Theirs> {
  readonly reason: string
  explains(given: Case, at: number, mine: Mine, theirs: Theirs): boolean
}

/** A case differs as known where each answer that differs is explained by one of the rules; the first one takes it. */
export function knownBy<Case, Mine, Theirs>(
  rules: readonly Rule<Case, Mine, Theirs>[],
  isSame: (mine: Mine, theirs: Theirs) => boolean,
): readonly KnownDifference<Case, readonly Mine[], readonly Theirs[]>[] {
  const explaining = (
    given: Case,
    mine: readonly Mine[],
    theirs: readonly Theirs[],
  ): readonly (Rule<Case, Mine, Theirs> | undefined)[] =>
    mine.flatMap((own, at) => {
      const other = theirs[at]
      if (other === undefined) return [undefined]
      if (isSame(own, other)) return []
      return [rules.find((rule) => rule.explains(given, at, own, other))]
    })
  return rules.map((rule) => ({
    reason: rule.reason,
    covers: (given, mine, theirs) => {
      const found = explaining(given, mine, theirs)
      return mine.length === theirs.length && found[0] === rule && !found.includes(undefined)
    },
  }))
}
