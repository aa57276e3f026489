import type { Userset } from './authorization-model.ts'

/** The operands of a rewrite; none of a leaf. */
function operandsOf(rewrite: Userset): readonly Userset[] {
  if ('union' in rewrite) return rewrite.union.child
  if ('intersection' in rewrite) return rewrite.intersection.child
  if ('difference' in rewrite) return [rewrite.difference.base, rewrite.difference.subtract]
  return []
}

/** One value for a rewrite, out of those of its operands. Without recursion: a rewrite may be deep. */
export function foldRewrite<T>(
  rewrite: Userset,
  combine: (rewrite: Userset, operands: readonly T[]) => T,
): T {
  const done: T[] = []
  const open: { readonly at: Userset; readonly from: number | undefined }[] = [
    { at: rewrite, from: undefined },
  ]
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    const { at, from } = step
    const operands = operandsOf(at)
    if (from !== undefined || operands.length === 0)
      done.push(combine(at, from === undefined ? [] : done.splice(from)))
    else {
      open.push({ at, from: done.length })
      for (const operand of operands.toReversed()) open.push({ at: operand, from: undefined })
    }
  }
  const [value] = done
  if (value === undefined && done.length === 0) throw new RangeError('a rewrite has a value')
  return value as T
}

/** The rewrites without operands, those higher up first. */
export function leavesOf(rewrite: Userset): readonly Userset[] {
  const open = [rewrite]
  const leaves: Userset[] = []
  for (const at of open) {
    const operands = operandsOf(at)
    if (operands.length === 0) leaves.push(at)
    // Also visits what is added meanwhile.
    for (const operand of operands) open.push(operand)
  }
  return leaves
}
