/** What a type is, at compile time. `any` is protobuf's Any, which behaves as `dyn`; `param` stands for a type not yet known. */
type Kind =
  | 'any'
  | 'bool'
  | 'bytes'
  | 'double'
  | 'duration'
  | 'dyn'
  | 'error'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  | 'object'
  | 'param'
  | 'string'
  | 'timestamp'
  | 'type'
  | 'uint'

/** A type of CEL, as the checker knows it. */
export interface Type {
  readonly kind: Kind
  /** As `type(x)` names it at run time; the name of a type parameter. */
  readonly name: string
  readonly parameters: readonly Type[]
}

function simple(kind: Kind, name: string = kind): Type {
  return { kind, name, parameters: [] }
}

export const anyType: Type = simple('any', 'google.protobuf.Any')
export const boolType: Type = simple('bool')
export const bytesType: Type = simple('bytes')
export const doubleType: Type = simple('double')
export const durationType: Type = simple('duration', 'google.protobuf.Duration')
export const dynType: Type = simple('dyn')
export const errorType: Type = simple('error')
export const intType: Type = simple('int')
export const ipAddressType: Type = simple('object', 'IPAddress')
export const nullType: Type = simple('null', 'null_type')
export const stringType: Type = simple('string')
export const timestampType: Type = simple('timestamp', 'google.protobuf.Timestamp')
export const typeType: Type = simple('type')
export const uintType: Type = simple('uint')

export function listOf(element: Type): Type {
  return { kind: 'list', name: 'list', parameters: [element] }
}

export function mapOf(key: Type, value: Type): Type {
  return { kind: 'map', name: 'map', parameters: [key, value] }
}

/** The type of the type `of`. */
export function typeOfType(of: Type): Type {
  return { kind: 'type', name: 'type', parameters: [of] }
}

export function typeParameter(name: string): Type {
  return simple('param', name)
}

/** The element of a list, or the key of a map. */
export function firstParameter(type: Type): Type {
  return type.parameters[0] ?? dynType
}

/** The value of a map. */
export function secondParameter(type: Type): Type {
  return type.parameters[1] ?? dynType
}

export function isDyn(type: Type): boolean {
  return type.kind === 'dyn' || type.kind === 'any'
}

export function isSameType(one: Type, other: Type): boolean {
  return (
    one === other ||
    (one.kind === other.kind &&
      one.name === other.name &&
      one.parameters.length === other.parameters.length &&
      one.parameters.every((parameter, index) => {
        const match = other.parameters[index]
        return match !== undefined && isSameType(parameter, match)
      }))
  )
}

/** As cel-go's messages name a type (`google/cel-go:checker/format.go`). */
export function formatType(type: Type): string {
  const { kind, name, parameters } = type
  if (kind === 'error') return '!error!'
  if (kind === 'any' || kind === 'duration' || kind === 'null' || kind === 'timestamp') return kind
  return parameters.length === 0 ? name : `${name}(${parameters.map(formatType).join(', ')})`
}

/** As cel-go names the type of a whole expression. */
export function typeText({ name, parameters }: Type): string {
  return parameters.length === 0 ? name : `${name}(${parameters.map(typeText).join(', ')})`
}
