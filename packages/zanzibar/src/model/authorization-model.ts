// OpenFGA's JSON of a model (`openfga/api:openfga/v1/authzmodel.proto`): outer names in snake_case, rewrites in lowerCamel.

/** An authorization model as OpenFGA's API takes and gives it. */
export interface AuthorizationModel {
  readonly schema_version: string
  readonly type_definitions: readonly TypeDefinition[]
  readonly conditions?: Readonly<Record<string, ConditionDefinition>>
}

export interface TypeDefinition {
  readonly type: string
  readonly relations?: Readonly<Record<string, Userset>>
  readonly metadata?: TypeMetadata | null
}

export interface TypeMetadata {
  readonly relations?: Readonly<Record<string, RelationMetadata>> | null
  readonly module?: string
  readonly source_info?: SourceInfo
}

export interface RelationMetadata {
  readonly directly_related_user_types?: readonly RelationReference[]
  readonly module?: string
  readonly source_info?: SourceInfo
}

/** The file of a module. */
export interface SourceInfo {
  readonly file: string
}

/** A type restriction: `type`, `type#relation` or `type:*`, with or without a condition. */
export interface RelationReference {
  readonly type: string
  readonly relation?: string
  readonly wildcard?: Readonly<Record<string, never>>
  readonly condition?: string
}

/** The rewrite of a relation. */
export type Userset =
  | { readonly this: Readonly<Record<string, never>> }
  | { readonly computedUserset: ObjectRelation }
  | {
      readonly tupleToUserset: { readonly tupleset: ObjectRelation; readonly computedUserset: ObjectRelation }
    }
  | { readonly union: { readonly child: readonly Userset[] } }
  | { readonly intersection: { readonly child: readonly Userset[] } }
  | { readonly difference: { readonly base: Userset; readonly subtract: Userset } }

export interface ObjectRelation {
  readonly object?: string
  readonly relation: string
}

export interface ConditionDefinition {
  readonly name: string
  /** In CEL. */
  readonly expression: string
  readonly parameters?: Readonly<Record<string, ParameterType>>
  readonly metadata?: { readonly module?: string; readonly source_info?: SourceInfo }
}

/** In the order of `TypeName` of the proto, where 0 is "unspecified". */
export const parameterTypeNames = [
  'TYPE_NAME_ANY',
  'TYPE_NAME_BOOL',
  'TYPE_NAME_STRING',
  'TYPE_NAME_INT',
  'TYPE_NAME_UINT',
  'TYPE_NAME_DOUBLE',
  'TYPE_NAME_DURATION',
  'TYPE_NAME_TIMESTAMP',
  'TYPE_NAME_MAP',
  'TYPE_NAME_LIST',
  'TYPE_NAME_IPADDRESS',
] as const

export type ParameterTypeName = (typeof parameterTypeNames)[number]

export interface ParameterType {
  readonly type_name: ParameterTypeName
  readonly generic_types?: readonly ParameterType[]
}
