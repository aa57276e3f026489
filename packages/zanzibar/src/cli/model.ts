import { ZanzibarError } from '../errors.ts'
import { printModelGraph } from '../model/print-model-graph.ts'
import { printTypedModel } from '../model/print-typed-model.ts'
import type { Answer } from './questions.ts'
import { type LoadedModel, modelAt } from './read-store-file.ts'

/** A model in DOT. */
export async function graph(paths: readonly string[]): Promise<Answer> {
  return { lines: [printModelGraph((await only(paths)).model)] }
}

/** A model as a TypeScript module that defines it. */
export async function typed(paths: readonly string[]): Promise<Answer> {
  return { lines: [printTypedModel((await only(paths)).model).trimEnd()] }
}

async function only([path, ...more]: readonly string[]): Promise<LoadedModel> {
  if (path === undefined || more.length > 0)
    throw new ZanzibarError('invalid_option', 'say which model: FILE')
  return await modelAt(path)
}
