import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Field, field } from '@loadbearing/harness/conformance'
import type { Context, Tuple } from '../../../src/tuple/tuple.ts'
import { GoSource } from './go-literals.ts'

export const openFgaVersion = 'v1.22.1'

/** A question that is asked as a check, as a list of objects and as a list of users. */
export interface MatrixCheck {
  readonly name: string
  readonly tuple: { readonly user: string; readonly relation: string; readonly object: string }
  readonly context: Context | undefined
  readonly expectation: boolean
  readonly checkError: number
  readonly listObjectsError: number
  /** Whether the list of objects may hold whatever it is. */
  readonly isAnyList: boolean
  readonly listUsersError: number
}

export interface MatrixList {
  readonly user: string
  readonly type: string
  readonly relation: string
  readonly context: Context | undefined
  readonly expectation: readonly string[]
}

/** Tuples, and what is asked of them. */
export interface MatrixStage<Assertion> {
  readonly name: string
  readonly tuples: readonly Tuple[]
  readonly assertions: readonly Assertion[]
}

export interface Matrix {
  /** In the DSL. */
  readonly checkModel: string
  readonly checks: readonly MatrixStage<MatrixCheck>[]
  readonly listModel: string
  readonly lists: readonly MatrixStage<MatrixList>[]
  /** Contexts of a condition on a parameter of type `any`, and whether it holds. */
  readonly anyValues: readonly { readonly context: Context; readonly allowed: boolean }[]
}

/** The folder of OpenFGA's source, from the Go module proxy; or why it cannot be had. */
export function findSource(): { readonly folder: string } | { readonly missing: string } {
  const given = process.env['OPENFGA_SOURCE']
  if (given !== undefined) return { folder: given }
  const module = `github.com/openfga/openfga@${openFgaVersion}`
  const compiler = 'go'
  const { error, status, stdout, stderr } = spawnSync(compiler, ['mod', 'download', '-json', module], {
    encoding: 'utf8',
    timeout: 10 * 60_000,
  })
  if (error !== undefined) return { missing: error.message }
  if (status !== 0) return { missing: `go mod download: ${stderr.trim()}` }
  return {
    folder: field({ value: JSON.parse(stdout) }, 'value')
      .field('Dir')
      .string(),
  }
}

/** Reads the tables of `tests/check` and `tests/listobjects`. */
export function readMatrix(folder: string): Matrix {
  const sourceOf = (of: string, ...files: readonly string[]): GoSource =>
    new GoSource(files.map((file) => readFileSync(join(folder, 'tests', of, file), 'utf8')).join('\n'))
  const check = sourceOf(
    'check',
    'check.go',
    'check_ttu.go',
    'complexity_three.go',
    'check_complexity4.go',
    'check_userset.go',
  )
  const lists = sourceOf(
    'listobjects',
    'matrix.go',
    'matrix_directs.go',
    'matrix_usersets.go',
    'matrix_ttus.go',
  )
  const any = sourceOf('check', 'condition_any_test.go')
  const stages = [
    ...elements(read(check, 'matrix').field('Stages')),
    ...[
      'ttuCompleteTestingModelTest',
      'complexityThreeTestingModelTest',
      'complexityFourTestingModelTest',
      'usersetCompleteTestingModelTest',
    ].flatMap((name) => elements(read(check, name))),
  ]
  return {
    checkModel: read(check, 'model').string(),
    checks: stages.map((stage) => stageOf(stage, 'CheckAssertions', checkOf)),
    listModel: read(lists, 'matrix').field('Model').string(),
    lists: elements(read(lists, 'matrix').field('Tests')).map((stage) =>
      stageOf(stage, 'ListObjectAssertions', listOf),
    ),
    anyValues: elements(read(any, 'testCases')).map((each) => ({
      context: contextOf(each.field('context')) ?? {},
      allowed: each.field('allowed').boolean(),
    })),
  }
}

function read(source: GoSource, name: string): Field {
  return field({ [name]: source.variable(name) }, name)
}

function stageOf<Assertion>(
  stage: Field,
  name: string,
  assertionOf: (each: Field, stage: string) => Assertion,
): MatrixStage<Assertion> {
  const stageName = stage.field('Name').string()
  return {
    name: stageName,
    tuples: elements(stage.field('Tuples')).map(tupleOf),
    assertions: elements(stage.field(name)).map((each) => assertionOf(each, stageName)),
  }
}

function checkOf(each: Field, stage: string): MatrixCheck {
  const checkError = numberOf(each.field('ErrorCode'))
  // OpenFGA's runner takes any list there (`tests/check/check.go` assertListObjects).
  const isAnyList = stage.includes('usersets_userset_cond_to_computed_cond')
  return {
    name: each.field('Name').string(),
    tuple: keyOf(each.field('Tuple')),
    context: contextOf(each.field('Context')),
    expectation: each.field('Expectation').optional((value) => value.boolean()) ?? false,
    checkError,
    listObjectsError: numberOf(each.field('ListObjectsErrorCode')) || (isAnyList ? 0 : checkError),
    isAnyList,
    listUsersError: numberOf(each.field('ListUsersErrorCode')) || checkError,
  }
}

function listOf(each: Field): MatrixList {
  const request = each.field('Request')
  return {
    user: request.field('User').string(),
    type: request.field('Type').string(),
    relation: request.field('Relation').string(),
    context: contextOf(each.field('Context')),
    expectation: elements(each.field('Expectation')).map((object) => object.string()),
  }
}

function tupleOf(each: Field): Tuple {
  const condition = each.field('Condition')
  if (condition.value === undefined) return keyOf(each)
  const name = condition.field('Name').string()
  return { ...keyOf(each), condition: { name, context: contextOf(condition.field('Context')) } }
}

function keyOf(each: Field): MatrixCheck['tuple'] {
  return {
    user: each.field('User').string(),
    relation: each.field('Relation').string(),
    object: each.field('Object').string(),
  }
}

/** A `structpb.Struct`: its fields, or what it was made of. */
function contextOf(each: Field): Context | undefined {
  if (each.value === undefined || each.value === null) return undefined
  const fields = each.field('Fields').value
  const value = fields ?? each.value
  if (!isContext(value)) throw new TypeError(`a context is ${JSON.stringify(value)}`)
  return value
}

/** Literals are made of nothing but what JSON has. */
function isContext(value: unknown): value is Context {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function numberOf(each: Field): number {
  return each.optional((value) => value.integer()) ?? 0
}

function elements(list: Field): readonly Field[] {
  return list.value === undefined || list.value === null ? [] : list.list((element) => element)
}
