/** Numbers, the smallest first: a binary heap. */
export class MomentHeap {
  readonly #moments: number[] = []

  push(moment: number): void {
    const moments = this.#moments
    let index = moments.length
    moments.push(moment)
    while (index > 0) {
      const parent = (index - 1) >>> 1
      const above = moments[parent] as number
      if (above <= moment) break
      moments[index] = above
      index = parent
    }
    moments[index] = moment
  }

  /** Removes the smallest; undefined when empty. */
  pop(): number | undefined {
    const moments = this.#moments
    const first = moments[0]
    const moved = moments.pop()
    if (moved === undefined || moments.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= moments.length) break
      if (child + 1 < moments.length && (moments[child + 1] as number) < (moments[child] as number)) child++
      if ((moments[child] as number) >= moved) break
      moments[index] = moments[child] as number
      index = child
    }
    moments[index] = moved
    return first
  }
}
