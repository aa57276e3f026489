/** `; did you mean 'db'?` where one of `candidates` is like `name`, else nothing. */
export function suggestion(name: string, candidates: Iterable<string>): string {
  const nearest = closest(name, candidates)
  return nearest === undefined ? '' : `; did you mean '${nearest}'?`
}

// Longer names are no slips of the keyboard, and comparing them costs time.
const lengthMax = 64

/** The candidate that the fewest edits make of `name`: at most a third of its length, at least one, never all of it. */
function closest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > lengthMax) return undefined
  let nearest: string | undefined
  let least = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) >= least) continue
    const distance = editDistance(name, candidate)
    if (distance < least && distance < name.length) [nearest, least] = [candidate, distance]
  }
  return nearest
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let cost = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
