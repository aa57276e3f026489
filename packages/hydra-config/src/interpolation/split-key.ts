/** Cuts a path such as `a.b[0].c` into its keys, as OmegaConf's `split_key` does; nothing is an error. */
export function splitKey(path: string): string[] {
  const head = /^\.*[^.[]*/.exec(path)?.[0] ?? ''
  const keys = head.split('.')
  if (head.length === path.length) return keys
  if (path[head.length] === '[' && keys.at(-1) === '') keys.pop()
  for (const [, dotted, bracketed] of path.slice(head.length).matchAll(/\.([^.[]*)|\[(.*?)\]/g)) {
    keys.push(dotted || (bracketed ?? ''))
  }
  return keys
}
