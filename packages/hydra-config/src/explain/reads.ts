/** What an interpolation read: a value of the configuration, or an environment variable. */
export type Read =
  | { readonly kind: 'path'; readonly path: string }
  | {
      readonly kind: 'env'
      readonly name: string
      /** `undefined` where it is not set. */
      readonly value: string | undefined
    }
