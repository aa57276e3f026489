/** Whether both have the same paths and texts, those that cannot be read for the same reason. */
export function sameFiles(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  if (one === other) return true
  return (
    one.size === other.size &&
    one.keys().every((path) => other.has(path) && textOf(one, path) === textOf(other, path))
  )
}

function textOf(files: ReadonlyMap<string, string>, path: string): string | undefined {
  try {
    return files.get(path)
  } catch (error) {
    return `\0${error instanceof Error ? error.message : String(error)}`
  }
}
