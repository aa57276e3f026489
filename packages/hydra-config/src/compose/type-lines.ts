/** The types that OmegaConf's messages tell of a map or list. */
export interface ContainerTypes {
  /** Its own, such as `dict`, `list` or `JobConf`. */
  readonly object: string
  /** That of the field that it stands in; undefined for a field of any type. */
  readonly reference?: string | undefined
}

/** The lines that OmegaConf adds to the message of an exception. */
export function typeLines(fullKey: string, { object, reference }: ContainerTypes): string {
  const ofField = reference === undefined ? '' : `\n    reference_type=${reference}`
  return `\n    full_key: ${fullKey}${ofField}\n    object_type=${object}`
}
