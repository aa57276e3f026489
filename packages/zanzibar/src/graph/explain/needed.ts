/** Leaves out what is not needed for `holds`. */
export async function needed<Item>(
  items: readonly Item[],
  holds: (items: readonly Item[]) => Promise<boolean>,
): Promise<readonly Item[]> {
  let kept = items
  for (const item of items) {
    const fewer = kept.filter((each) => each !== item)
    if (await holds(fewer)) kept = fewer
  }
  return kept
}
