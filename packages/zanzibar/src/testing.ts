import type { QueryOptions, Zanzibar } from './zanzibar.ts'

/** What a matcher answers. */
export interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
}

/** Matchers of {@link zanzibarMatchers}, for the types of `expect`. */
export interface ZanzibarMatchers<Result = unknown> {
  /** Whether `user` has `relation` to `object`. */
  toAllow(user: string, relation: string, object: string, options?: QueryOptions): Result
}

/**
 * Matchers for Vitest and Jest, `expect.extend(zanzibarMatchers)`:
 * `await expect(zanzibar).toAllow('user:anne', 'viewer', 'document:1')`.
 */
export const zanzibarMatchers: {
  toAllow(
    zanzibar: Pick<Zanzibar, 'check'>,
    user: string,
    relation: string,
    object: string,
    options?: QueryOptions,
  ): Promise<MatcherResult>
} = {
  async toAllow(zanzibar, user, relation, object, options) {
    const pass = await zanzibar.check(user, relation, object, options)
    const message = (): string => `expected ${user} ${pass ? 'not ' : ''}to be ${relation} of ${object}`
    return { pass, message }
  },
}
