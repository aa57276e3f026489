/** What checks an input: the part of Standard Schema that is used here, so that Zod, Valibot, ArkType and others fit. (standardschema.dev, version 1) */
export interface StandardSchema<Input, Output> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The issues in one line, each with its place. */
export function shownIssues(issues: readonly SchemaIssue[]): string {
  return issues
    .slice(0, 10)
    .map(({ path = [], message }) => {
      const place = path.map((each) => String(typeof each === 'object' ? each.key : each)).join('.')
      return place === '' ? message : `${place}: ${message}`
    })
    .join('; ')
}
