/** What comes with a request beside its body, and what goes back beside the answer's. */
export interface Call {
  readonly signal?: AbortSignal | undefined
  /** A consistency token: the answer is of that moment or a later one. */
  readonly atLeast?: string | undefined
  /** Is told the model that the answer is of. */
  readonly onModel?: ((modelId: string) => void) | undefined
  /** Is told the token of the moment that the answer is of, or that a write made. */
  readonly onToken?: ((token: string) => void) | undefined
}
