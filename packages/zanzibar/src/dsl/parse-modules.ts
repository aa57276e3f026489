import type { Position } from '../errors.ts'
import { checkList, checkRecord } from '../given-kinds.ts'
import type {
  AuthorizationModel,
  ConditionDefinition,
  RelationMetadata,
  TypeDefinition,
} from '../model/authorization-model.ts'
import { lintModel, type Problem, type Subject } from '../model/lint-model.ts'
import { type Document, readDocument } from './document.ts'
import { throwProblems } from './parse-model.ts'
import { positionOf } from './validate-dsl.ts'

/** A file of a modular model. */
export interface ModuleFile {
  /** As `fga.mod` names it. */
  readonly name: string
  readonly text: string
}

/**
 * Puts a model together of its modules (schema 1.2), as `openfga/language`'s `transformModuleFilesToModel` does: extensions become part of
 * what they extend, and everything is marked with its module and file.
 *
 * @throws {@link ZanzibarError} `invalid_syntax` with all that is wrong in `positions`, each with its `file`: syntax, what cannot be put
 *   together, and what {@link validateDsl} finds in the whole
 */
export function parseModules(files: readonly ModuleFile[], schemaVersion = '1.2'): AuthorizationModel {
  checkList('files', files)
  for (const [at, file] of files.entries()) checkRecord(`files[${at}]`, file)
  const modules = new Map(files.map(({ name, text }) => [name, readDocument(text)]))
  const positions: Position[] = []
  const types = new Map<string, TypeDefinition>()
  const conditions = new Map<string, ConditionDefinition>()
  for (const [file, document] of modules) collect(file, document, types, conditions, positions)
  for (const [file, document] of modules) {
    if (document.positions.length > 0) continue
    for (const extension of document.extensions) extend(file, document, extension, types, positions)
  }
  const model: AuthorizationModel = {
    schema_version: schemaVersion,
    type_definitions: [...types.values()],
    ...(conditions.size > 0 && { conditions: Object.fromEntries(conditions) }),
  }
  for (const problem of lintModel(model)) positions.push(placed(problem, model, modules))
  throwProblems(positions)
  return model
}

function collect(
  file: string,
  document: Document,
  types: Map<string, TypeDefinition>,
  conditions: Map<string, ConditionDefinition>,
  positions: Position[],
): void {
  if (document.positions.length > 0) {
    positions.push(...document.positions.map((position) => ({ ...position, file })))
    return
  }
  if (document.module === undefined) {
    const start = { start: 0, end: 0 }
    positions.push({
      kind: 'transformation-error',
      message: 'file is not a module',
      file,
      line: start,
      column: start,
    })
    return
  }
  for (const type of document.types) {
    if (document.extensions.includes(type)) continue
    // A second type of that name is told with the whole model: it keeps both.
    types.set(types.has(type.type) ? `${type.type} of ${file}` : type.type, {
      ...type,
      metadata: { ...type.metadata, source_info: { file } },
    })
  }
  for (const [name, condition] of document.conditions) {
    if (conditions.has(name)) {
      const subject: Subject = { of: 'condition', condition: name }
      positions.push(problemAt(file, document, `duplicate condition ${name}`, name, subject))
    } else conditions.set(name, { ...condition, metadata: { ...condition.metadata, source_info: { file } } })
  }
}

function extend(
  file: string,
  document: Document,
  extension: TypeDefinition,
  types: Map<string, TypeDefinition>,
  positions: Position[],
): void {
  const { type } = extension
  const original = types.get(type)
  if (original === undefined) {
    const message = `extended type ${type} does not exist`
    positions.push(problemAt(file, document, message, type, { of: 'type', type }))
    return
  }
  const relations = new Map(Object.entries(original.relations ?? {}))
  const metadata = new Map<string, RelationMetadata>(Object.entries(original.metadata?.relations ?? {}))
  const added = new Map(Object.entries(extension.metadata?.relations ?? {}))
  for (const [relation, rewrite] of Object.entries(extension.relations ?? {})) {
    if (relations.has(relation)) {
      const message = `relation ${relation} already exists on type ${type}`
      positions.push(problemAt(file, document, message, relation, { of: 'relation', type, relation }))
      continue
    }
    relations.set(relation, rewrite)
    metadata.set(relation, { ...added.get(relation), source_info: { file } })
  }
  types.set(type, {
    ...original,
    relations: Object.fromEntries(relations),
    metadata: { ...original.metadata, ...(metadata.size > 0 && { relations: Object.fromEntries(metadata) }) },
  })
}

function problemAt(
  file: string,
  { tree }: Document,
  message: string,
  symbol: string,
  subject: Subject,
): Position {
  return { ...positionOf({ kind: 'transformation-error', message, symbol, subject }, tree), file }
}

function placed(
  problem: Problem,
  model: AuthorizationModel,
  modules: ReadonlyMap<string, Document>,
): Position {
  const file = fileOf(problem.subject, model)
  const document = file === undefined ? undefined : modules.get(file)
  const nowhere = { start: 0, end: 0 }
  if (file === undefined || document === undefined) {
    return { kind: problem.kind, message: problem.message, line: nowhere, column: nowhere }
  }
  return { ...positionOf(problem, document.tree), file }
}

/** The file in which the subject of a problem is defined. */
function fileOf(subject: Subject, model: AuthorizationModel): string | undefined {
  if (subject.of === 'schema' || subject.of === 'model') return undefined
  if (subject.of === 'condition') return model.conditions?.[subject.condition]?.metadata?.source_info?.file
  // Of types of the same name the last one counts.
  const metadata = model.type_definitions.findLast(({ type }) => type === subject.type)?.metadata
  const relation = subject.of === 'type' ? undefined : metadata?.relations?.[subject.relation]
  return relation?.source_info?.file ?? metadata?.source_info?.file
}
