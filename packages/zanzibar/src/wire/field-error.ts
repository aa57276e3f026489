import { ZanzibarError, type ZanzibarErrorCode } from '../errors.ts'

/** Codes of their own of what protoc-gen-validate finds (`openfga/openfga:pkg/server/errors/encoded_errors.go`); the rest is `validation_error`. */
const codes: readonly (readonly [field: string, reason: string, code: ZanzibarErrorCode])[] = [
  ['Assertions', 'value must contain no more than', 'assertions_too_many_items'],
  ['Base', 'value is required', 'difference_base_missing_value'],
  ['Object', 'value length must be at most', 'object_too_long'],
  ['PageSize', 'value must be inside range', 'page_size_invalid'],
  ['Relation', 'value length must be at most', 'relation_too_long'],
  ['Subtract', 'value is required', 'subtract_base_missing_value'],
  ['TupleKey', 'value is required', 'tuple_key_value_not_specified'],
  ['Type', 'value does not match regex pattern', 'type_invalid_pattern'],
  ['TypeDefinitions', 'value must contain at least', 'type_definitions_too_few_items'],
]

/** The error of what is wrong with fields, in the words of protoc-gen-validate; of causes OpenFGA shows the last. */
export function fieldError(problems: readonly string[]): ZanzibarError {
  const shown = problems.join('; ').split('| caused by:').at(-1)?.trim() ?? ''
  return new ZanzibarError(codeOf(shown), shown)
}

function codeOf(problem: string): ZanzibarErrorCode {
  const colon = problem.indexOf(': ')
  const [, field, ...more] = problem.slice(0, colon).split('.')
  if (colon === -1 || field === undefined || more.length > 0) return 'validation_error'
  const reason = problem.slice(colon + 2)
  if (field.startsWith('Relations[') && reason.startsWith('value does not match regex pattern'))
    return 'relations_invalid_pattern'
  const found = codes.find(([name, start]) => field === name && reason.startsWith(start))
  return found?.[2] ?? 'validation_error'
}
