/** What the system said, such as `ENOENT`, and the same as a sentence. */
export function systemReason(error: unknown): { readonly code: string; readonly text: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return { code, text: error instanceof Error ? error.message : String(error) }
}
