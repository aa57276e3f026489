import { HydraConfigError } from './errors.ts'
import { shown } from './shown.ts'

/**
 * Which rules a composition keeps to: those of Hydra 1.3, to the letter, or those of Hydra 1.4 with what this package
 * refuses or adds beyond them.
 *
 * `strict` differs in: the last `override` of a defaults list in depth-first order wins; unknown keywords, `optional`
 * together with `override`, `..`, `\`, NUL and absolute options are refused in defaults lists and group overrides;
 * `group: a/b` means `group/a: b`; an interpolation of a defaults list sees every choice that is not interpolated
 * itself, and no resolvers; `+group=option` is of the root, wherever the primary config is; null, `???` and items of
 * lists can be deleted; lists can be edited (`key=append(a)`, `key: {_append_: [a]}`).
 */
export type Semantics = 'hydra-1.3' | 'strict'

/** @throws {HydraConfigError} `INVALID_OPTION` */
export function checkSemantics(semantics: unknown): asserts semantics is Semantics {
  if (semantics === 'hydra-1.3' || semantics === 'strict') return
  throw new HydraConfigError(
    'INVALID_OPTION',
    `semantics must be 'hydra-1.3' or 'strict', not ${shown(semantics)}`,
  )
}
