import { readFile } from 'node:fs/promises'
import { basename, dirname, extname, resolve } from 'node:path'
import { parseModel } from '../dsl/parse-model.ts'
import { type ModuleFile, parseModules } from '../dsl/parse-modules.ts'
import { ZanzibarError } from '../errors.ts'
import type { AuthorizationModel } from '../model/authorization-model.ts'
import { printModel } from '../model/print-model.ts'
import { readModel } from '../model/read-model.ts'
import { readFgaMod } from '../store-file/fga-mod.ts'
import {
  isSpiceDbValidation,
  parseSpiceDbValidation,
  spiceDbSchemaFile,
} from '../store-file/spicedb/validation-file.ts'
import { parseStoreFile, parseTuples, type StoreFile } from '../store-file/store-file.ts'
import { readTupleCsv } from '../store-file/tuple-csv.ts'
import type { Tuple } from '../tuple/tuple.ts'

/** A store file with the files that it names. */
export interface LoadedStore {
  readonly file: StoreFile
  readonly model: LoadedModel
  readonly tuples: readonly Tuple[]
  /** By test. */
  readonly testTuples: readonly (readonly Tuple[])[]
}

export interface LoadedModel {
  readonly model: AuthorizationModel
  /** Its text, and where that is; for what is said about a line of it. */
  readonly text: string
  readonly path: string
}

/** @throws ZanzibarError `invalid_syntax` */
export async function loadStore(path: string): Promise<LoadedStore> {
  const value = await yamlOf(path)
  if (isSpiceDbValidation(value)) return await spiceDbStore(value, path)
  const file = parseStoreFile(value)
  const folder = dirname(path)
  const read = async (tuples: readonly Tuple[], files: readonly string[]): Promise<Tuple[]> => {
    const more = await Promise.all(files.map((name) => loadTuples(resolve(folder, name))))
    return [...tuples, ...more.flat()]
  }
  return {
    file,
    model: await modelOf(file, path),
    tuples: await read(file.tuples, file.tupleFiles),
    testTuples: await Promise.all(file.tests.map((test) => read(test.tuples, test.tupleFiles))),
  }
}

async function spiceDbStore(value: unknown, path: string): Promise<LoadedStore> {
  const schemaFile = spiceDbSchemaFile(value)
  const schema = schemaFile === undefined ? undefined : await textAt(resolve(dirname(path), schemaFile))
  const { model, file } = parseSpiceDbValidation(value, schema)
  return { file, model: { model, text: printModel(model), path }, tuples: file.tuples, testTuples: [[]] }
}

/** Whether a file has a store, and not tuples alone. */
export async function hasStore(path: string): Promise<boolean> {
  return isStoreFile(path) && !Array.isArray(await yamlOf(path))
}

/** A file of a model, or the model of a store file. @throws ZanzibarError `invalid_syntax` */
export async function modelAt(path: string): Promise<LoadedModel> {
  return isStoreFile(path) ? (await loadStore(path)).model : await loadModel(path)
}

export function isStoreFile(path: string): boolean {
  return /\.ya?ml$/.test(path)
}

async function modelOf(file: StoreFile, path: string): Promise<LoadedModel> {
  if (file.model !== undefined) return { model: parseModel(file.model), text: file.model, path }
  if (file.modelFile !== undefined) return await loadModel(resolve(dirname(path), file.modelFile))
  throw new ZanzibarError('invalid_syntax', `${path} has neither model nor model_file`)
}

/** A model of a file in the DSL, in JSON, or of the modules that `fga.mod` names. */
export async function loadModel(path: string): Promise<LoadedModel> {
  const text = await textAt(path)
  if (basename(path) === 'fga.mod') return await loadModules(path, text)
  const model = extname(path) === '.json' ? readModel(JSON.parse(text)) : parseModel(text)
  return { model, text, path }
}

async function loadModules(path: string, text: string): Promise<LoadedModel> {
  const { contents } = await readFgaMod(text)
  const read = async (name: string): Promise<ModuleFile> => ({
    name,
    text: await textAt(resolve(dirname(path), name)),
  })
  const model = parseModules(await Promise.all(contents.map(read)))
  return { model, text: printModel(model, { sourceInfo: true }), path }
}

/** Tuples of a file in YAML, JSON, with one of them in JSON on each line, or in CSV. */
export async function loadTuples(path: string): Promise<Tuple[]> {
  if (extname(path) === '.csv') return parseTuples(readTupleCsv(await textAt(path), path), path)
  if (extname(path) !== '.jsonl') return parseTuples(await yamlOf(path), path)
  const lines = (await textAt(path)).split('\n').filter((line) => line.trim() !== '')
  return parseTuples(
    lines.map((line): unknown => JSON.parse(line)),
    path,
  )
}

async function yamlOf(path: string): Promise<unknown> {
  const { parse } = await import('yaml')
  try {
    const value: unknown = parse(await textAt(path))
    return value
  } catch (cause) {
    if (cause instanceof ZanzibarError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ZanzibarError('invalid_syntax', `${path} is no YAML: ${reason}`, { cause })
  }
}

async function textAt(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ZanzibarError('invalid_option', `${path} cannot be read`, { cause })
  }
}
