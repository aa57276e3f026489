import { type Command, type Field, field, servePort } from '@loadbearing/harness/conformance'
import { sqliteStore } from '../../src/adapters/sqlite.ts'
import { type Context, memoryStore, type TupleStore } from '../../src/index.ts'
import { answerCondition } from './condition.ts'
import { parse } from './parse.ts'
import { runStages, type StageAnswer } from './stages.ts'

await servePort({ condition, parse, stages })

function condition(command: Command): object {
  return answerCondition({
    expression: field(command, 'expression').string(),
    parameters: parametersOf(field(command, 'parameters')),
    context: contextOf(field(command, 'context')),
  })
}

function parametersOf(given: Field): Record<string, string> {
  return given.value === undefined || given.value === null ? {} : given.record((type) => type.string())
}

/** It comes from JSON, so all in it is JSON. */
function contextOf({ value }: Field): Context {
  return isContext(value) ? value : {}
}

function isContext(value: unknown): value is Context {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function stages(command: Command): Promise<{ readonly stages: readonly StageAnswer[] }> {
  const name = field(command, 'store').optional((each) => each.oneOf(['memory', 'sqlite'])) ?? 'memory'
  const contextual = field(command, 'contextual').optional((each) => each.boolean()) ?? false
  const given = field(command, 'stages').list((stage) => stage, contextual ? { min: 1, max: 1 } : {})
  await using store: TupleStore = name === 'sqlite' ? sqliteStore({ path: ':memory:' }) : memoryStore()
  return { stages: await runStages(given, { store, contextual, streamed: false }) }
}
