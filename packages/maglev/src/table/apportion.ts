/**
 * Divides `total` slots by `weights`: whole numbers that sum to `total`, each at least `floors[i]` and within one slot of its
 * proportional share of what the members held at their floor leave over (largest remainder; ties go to the lower index). The
 * floors must not sum to more than `total`, and a weight must be above 0 somewhere.
 */
export function apportion(total: number, weights: Float64Array, floors: Uint32Array): Uint32Array {
  const quotas = Uint32Array.from(floors)
  const open = aboveFloor(total, weights, floors)
  let left = total
  let weight = 0
  for (let i = 0; i < quotas.length; i++) {
    if (open[i] === 1) weight += weights[i] ?? 0
    else left -= quotas[i] ?? 0
  }
  const remainders: { index: number; remainder: number }[] = []
  const shared = left
  for (let i = 0; i < quotas.length; i++) {
    if (open[i] !== 1) continue
    const share = (shared * (weights[i] ?? 0)) / weight
    const whole = Math.max(floors[i] ?? 0, Math.floor(share))
    quotas[i] = whole
    left -= whole
    remainders.push({ index: i, remainder: share - whole })
  }
  remainders.sort((a, b) => b.remainder - a.remainder || a.index - b.index)
  for (let i = 0; i < left; i++) {
    const index = remainders[i % remainders.length]?.index ?? 0
    quotas[index] = (quotas[index] ?? 0) + 1
  }
  return quotas
}

/** Marks the members whose share is above their floor, once those at their floor have taken it out of the total. */
function aboveFloor(total: number, weights: Float64Array, floors: Uint32Array): Uint8Array {
  const open = Uint8Array.from(weights, (weight) => (weight > 0 ? 1 : 0))
  let left = total
  let weight = 0
  for (let i = 0; i < open.length; i++) {
    if (open[i] === 1) weight += weights[i] ?? 0
    else left -= floors[i] ?? 0
  }
  for (let settled = false; !settled; ) {
    settled = true
    const perWeight = left / weight
    for (let i = 0; i < open.length; i++) {
      const floor = floors[i] ?? 0
      if (open[i] !== 1 || perWeight * (weights[i] ?? 0) > floor) continue
      open[i] = 0
      left -= floor
      weight -= weights[i] ?? 0
      settled = false
    }
  }
  return open
}
